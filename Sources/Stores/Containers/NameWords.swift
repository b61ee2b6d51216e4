/// The words of generated container names: adjectives, and surnames of inventors and scientists.
enum NameWords {
    static let adjectives = """
        able agile airy alert amber ample apt awake balmy blithe bold boring brave breezy bright brisk calm candid \
        careful cheery civil clear clever coastal comic cosy crisp curious dapper daring deft dewy direct dreamy \
        eager early earnest easy elegant even exact fair fearless fine fleet fond frank free fresh frugal gallant \
        gentle genuine glad golden graceful grand hardy hasty hearty helpful honest humble jaunty jolly keen kind \
        lively lofty loyal lucid lucky lunar mellow merry mighty mild modest neat nimble noble open patient placid \
        plain playful polite prompt proud quick quiet ready robust rosy rustic serene sharp shiny silent simple \
        sincere smooth snug solid spry stately steady stellar still subtle sunny supple swift tender thrifty tidy \
        tranquil trusty upbeat valiant vivid warm wise witty young zesty
        """.split(separator: " ").map(String.init)

    static let surnames = """
        abel aho albers allen alvarez amdahl ampere anning apgar archimedes aristarchus aryabhata atanasoff avogadro \
        babbage backus baran bardeen bartik bell bernoulli berners bessel bhabha binet bohr boltzmann boole borg \
        bose boyle bragg brahe brattain brooks burnell cajal cannon cantor carson carver cauchy cavendish cerf \
        chandra chatelet chomsky church clarke codd colmar conway copernicus corey cori coulomb cray crick curie \
        dahl daguerre dalton darwin davinci davy diophantus dirac doppler dresselhaus earhart eckert edison \
        ehrenfest einstein elion engelbart eratosthenes erdos euclid euler faraday fermat fermi feynman fibonacci \
        fleming floyd forrester fourier franklin frege fresnel galilei galois gauss germain gibbs goddard goedel \
        goldberg goodall gosling gutenberg haber halley hamilton hamming hardy hawking hedy heisenberg helmholtz \
        henry hermite herschel hertz hilbert hippocrates hoare hodgkin holberton hollerith hooke hopper hubble \
        huffman huygens hypatia iverson jacobi jacquard jemison jennings johnson joliot joule kahn kalman kant \
        karp kay keller kelvin kepler kernighan kilby kirch kirchhoff knuth kolmogorov kovalevskaya krebs lagrange \
        lamarr lamport laplace lavoisier leavitt legendre leibniz levi lichterman liskov lorenz lovelace lumiere \
        maiman mandelbrot marconi mauchly maxwell mayer mccarthy mcclintock mclaren meitner mendel mendeleev mercator \
        michelson milner minsky mirzakhani montessori moore morse napier nash naur newton nightingale nobel noether \
        nyquist nygaard ohm oppenheimer panini pascal pasteur pauli peano perlman planck poincare poisson ptolemy \
        pythagoras raman ramanujan rayleigh ride riemann ritchie roentgen rubin russell rutherford sagan salk \
        sammet sanger schrodinger shannon shaw shockley snyder somerville stallman stokes sutherland swartz tarski \
        tesla tharp thompson torvalds tu turing vaughan venn villani volta wallace watt weyl wiener wiles wilkes \
        wilkins wilson wing wirth wozniak wright yalow yonath zuse
        """.split(separator: " ").map(String.init)
}

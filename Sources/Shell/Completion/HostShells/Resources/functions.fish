# What exists of the kind of the operand at the cursor; the kinds are the arguments.
function __shale_operand
    set -l words (commandline -opc)
    set -l operands
    for word in $words[2..-1]
        string match -q -- '-*' $word; or set -a operands $word
    end
    set -l index (count $operands)
    test $index -lt 1; and set index 1
    test $index -gt (count $argv); and set index (count $argv)
    set -l kind $argv[$index]
    switch $kind
        case none 'host.*'
        case '=*'
            string split , (string sub -s 2 -- $kind)
        case '*'
            shale complete $kind (commandline -ct) $operands[2..-1] 2>/dev/null
    end
end

# The files that the sessions copy, made below the current directory.
set -e
mkdir -p tree/sub/deep empty/inner names step-1 stages arguments ignoring onbuild/child linked attributed
printf '#!/bin/sh\necho hello\n' > hello.sh; chmod 755 hello.sh
echo a > tree/a.txt; echo b > tree/b.txt; echo c > tree/sub/c; echo d > tree/sub/deep/d
ln -s ../a.txt tree/sub/link; ln -s /nowhere tree/dangling; chmod 750 tree/sub/deep; chmod 600 tree/b.txt
echo blanks > "a file.txt"
echo key > private.key; chmod 600 private.key
printf '#!/bin/sh\n' > setuid; chmod 4711 setuid
echo dash > names/-dash; echo u > names/ümlaut; echo n > "names/new
line"; echo q > "names/quo'te"; echo s > "names/a b"; echo st > 'names/st*r'; echo d > 'names/$x'; echo h > 'names/#hash'
echo FROM nothing > Dockerfile; echo '*.none' > .dockerignore; echo s > step-1/step
tar -C tree --owner=3 --group=4 -cf tree.tar .; gzip -kf tree.tar
echo l > linked/one; ln linked/one linked/two
echo x > attributed/file
tar --format=pax --pax-option='SCHILY.xattr.user.note:=hello' -cf attributed.tar attributed
tar --xattrs --xattrs-include='user.*' -xf attributed.tar; rm attributed.tar
printf 'echo hand > /hand\nmkdir /made\necho in > /made/in\nrm -f /etc/group\nchmod 700 /tmp\n' > typed.txt
printf 'rm -r /thing\necho now-file > /thing\nrm /other\nmkdir /other\necho i > /other/i\nrm /link\nmkdir /link\n' > retype.txt
cat > stages/Dockerfile <<'D'
FROM busybox AS compiler
COPY source.c /src/
RUN mkdir /out && cat /src/source.c > /out/program && chmod 755 /out/program
FROM compiler AS second
RUN echo more >> /out/program
FROM busybox
COPY --from=compiler /out/program /bin/first
COPY --from=second /out/ /second/
COPY --from=busybox /etc/passwd /etc/passwd.base
RUN /bin/busybox sha256sum /bin/first > /sum
CMD ["/bin/first"]
D
echo 'int main;' > stages/source.c
cat > arguments/Dockerfile <<'D'
ARG TAG=latest
FROM busybox:$TAG
ARG VERSION=1.0
ARG WORD
RUN echo "$VERSION-$WORD" > /version
ENV RELEASE=$VERSION
ARG VERSION=3.0
RUN echo "$VERSION" > /later
D
cat > ignoring/Dockerfile <<'D'
FROM busybox
COPY . /app/
ADD keep.txt lost.md /more/
D
printf '*.md\n!lost.md\nout\n' > ignoring/.dockerignore; echo k > ignoring/keep.txt; echo m > ignoring/notes.md; echo l > ignoring/lost.md; mkdir -p ignoring/out; echo o > ignoring/out/o
cat > onbuild/Dockerfile <<'D'
FROM busybox
ONBUILD COPY app.txt /app/
ONBUILD RUN echo triggered >> /triggered
RUN echo parent > /parent
D
cat > onbuild/child/Dockerfile <<'D'
FROM parent
RUN cat /triggered /app/app.txt > /both
D
echo app > onbuild/child/app.txt
mkdir -p base/bin base/etc; cp /bin/busybox base/bin/busybox; for a in sh cat rm echo ls mkdir; do ln base/bin/busybox base/bin/$a; done; chmod 755 base base/bin base/etc; tar -C base --owner=0 --group=0 -cf base.tar .; rm -r base
printf 'mkdir /app\ncd /app\necho one > one\nexport MODE=fast\nls\nfalse || true\necho $MODE > mode\numask 077; echo closed > closed\nexit\n' > entered.txt
mkdir odd; touch "odd/$(printf '\351\377')" odd/plain
printf 'rm "/$(printf "\\\\351\\\\377")"\necho gone > /gone\n' > unodd.txt

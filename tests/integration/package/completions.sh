# The completions complete every command and option that --help names, in the shells that they are for; the man page
# documents them.
. "$(dirname "$0")/../lib.sh"
commands='combine relocate prepare inspect heap-base verify'
wasmshare --help | sed '/^Link modules/,$d' >help.txt # what follows is about linkers
for command in $commands; do
    grep -q "wasmshare $command " help.txt || fail "no $command in --help"
    wasmshare "$command" --help >>help.txt
done
share=$WASMSHARE_PREFIX/share
sed 's/\\-/-/g' "$share/man/man1/wasmshare.1" >man-source.txt
words=$(grep -oE '(^|[ [])--[a-z][a-z-]*' help.txt | tr -d ' [' | sort -u)
[ "$(wc -w <<<"$words")" -ge 25 ] || fail "few options in --help: $words"
for word in $words $commands; do
    grep -qe "$word\($\|[^a-z-]\)" man-source.txt || fail "the man page has no $word"
done
man --warnings -l "$share/man/man1/wasmshare.1" >man.txt 2>man.err
[ ! -s man.err ] || { cat man.err; fail 'man has warnings'; }

touch a.wasm b.txt c.json
mkdir dir

. "$share/bash-completion/completions/wasmshare"
in_bash() {
    read -ra COMP_WORDS <<<"$1"
    [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    compopt() { :; }
    _wasmshare
    echo "${COMPREPLY[*]}"
}
[ "$(in_bash 'wasmshare combine ')" = 'dir a.wasm' ] || fail "bash: files: $(in_bash 'wasmshare combine ')"

in_fish() {
    fish --no-config -c "source '$share/fish/vendor_completions.d/wasmshare.fish'; complete -C '$1'" | sed 's/\t.*//; q'
}

# types the line and the tab key, and takes what a command of that name is then called with
cat >.zshrc <<END
PS1= PS2= RPS1=
fpath=('$share/zsh/site-functions' \$fpath)
autoload -U compinit
compinit -u -D
wasmshare() { print -r -- "<\$*>" }
END
cat >type.zsh <<'END'
zmodload zsh/zpty
zpty shell "ZDOTDIR=. zsh --no-global-rcs --interactive"
zpty -w -n shell "$1"$'\t\n'
zpty -r shell line '*<*>*'
print -r -- ${${${line##*<}%%>*}##* }
END
in_zsh() {
    timeout 60 zsh -f type.zsh "$1"
}

completes() {
    local shell completed
    for shell in bash fish zsh; do
        completed=$("in_$shell" "wasmshare $1")
        [ "${completed%/}" = "$2" ] || fail "$shell completes \"wasmshare $1\" with \"$completed\""
    done
}
completes comb combine
completes 'combine --heap-s' --heap-size
completes 'combine -o ' dir
completes 'combine a' a.wasm
completes 'relocate --of' --offset
completes 'inspect --js' --json
completes 'verify c' c.json

# every option of --help: fish and bash list them
for command in combine relocate prepare inspect; do
    wasmshare "$command" --help | grep -oE '^  (-o, )?--[a-z-]+' | grep -oE -- '--.*' | sort -u >options.txt
    in_bash "wasmshare $command --" | tr ' ' '\n' | sed 's/=.*//' | sort -u >bash.txt
    diff options.txt bash.txt || fail "bash does not complete the options of $command"
    fish --no-config -c "source '$share/fish/vendor_completions.d/wasmshare.fish'; complete -C 'wasmshare $command --'" |
        sed 's/[\t=].*//' | grep -vx -e --help -e --version -e --makefile | sort -u >fish.txt
    diff options.txt fish.txt || fail "fish does not complete the options of $command"
done
# and zsh completes each that is like no other
for option in --link --single --import-m --strip --heap-o --dep --out --threads; do
    whole=$(wasmshare combine --help | grep -oE -- "$option[a-z-]*" | head -n 1)
    completed=$(in_zsh "wasmshare combine $option")
    [ "${completed%=}" = "$whole" ] || fail "zsh completes $option with \"$completed\""
done
# what an option's value is
touch only.svg
completes 'combine --map onl' only.svg
completes 'prepare --depfile b.' b.txt
completes 'combine --stack=s' --stack=shared

# The completions complete every command and option that --help names; the man page documents them.
. "$(dirname "$0")/../lib.sh"
wasmshare --help >help.txt
share=$WASMSHARE_PREFIX/share
sed 's/\\-/-/g' "$share/man/man1/wasmshare.1" >man-source.txt
words=$(grep -oE '(^|[ [])--[a-z][a-z-]*' help.txt | tr -d ' [' | sort -u)
[ "$(wc -w <<<"$words")" -ge 10 ] || fail "few options in --help: $words"
for word in $words combine relocate inspect heap-base verify; do
    for file in bash-completion/completions/wasmshare zsh/site-functions/_wasmshare; do
        grep -qe "$word" "$share/$file" || fail "$file has no $word"
    done
    grep -qe "${word#--}" "$share/fish/vendor_completions.d/wasmshare.fish" || fail "fish has no $word"
    grep -qe "$word" man-source.txt || fail "the man page has no $word"
done
man --warnings -l "$share/man/man1/wasmshare.1" >man.txt 2>man.err
[ ! -s man.err ] || { cat man.err; fail 'man has warnings'; }

. "$share/bash-completion/completions/wasmshare"
complete_line() {
    read -ra COMP_WORDS <<<"$1"
    [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    compopt() { :; }
    _wasmshare
    echo "${COMPREPLY[*]}"
}
touch a.wasm b.txt c.json
mkdir dir
[ "$(complete_line 'wasmshare comb')" = combine ] || fail 'bash: commands'
[ "$(complete_line 'wasmshare combine --heap-s')" = --heap-size ] || fail 'bash: options'
[ "$(complete_line 'wasmshare combine ')" = 'dir a.wasm' ] || fail "bash: files: $(complete_line 'wasmshare combine ')"
[ "$(complete_line 'wasmshare combine -o ')" = dir ] || fail 'bash: directories'
[ "$(complete_line 'wasmshare verify c')" = c.json ] || fail 'bash: layouts'

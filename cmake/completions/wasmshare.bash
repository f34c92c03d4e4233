# bash completion for wasmshare: options are those of `wasmshare COMMAND --help`
_wasmshare() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options value files=wasm
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'combine relocate prepare inspect heap-base verify --help --version --makefile' -- "$current")
        return
    fi
    # --name=VALUE or --name, one a line
    options=$(command "${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help 2>/dev/null | sed -nE 's/^  (-o, )?(--[a-z-]+(=[^ ]+)?) .*/\2/p')
    [[ $previous != -o ]] || previous=--output
    value=$(sed -n "s/^$previous=//p" <<<"$options" 2>/dev/null)
    case ${COMP_WORDS[1]}:$value in
        relocate:OUT | *:FILE*)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        *:OUT)
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            return
            ;;
        verify:) files=json ;;
        *:) ;;
        *) return ;;
    esac
    if [[ $current == -* ]]; then
        # a value in small letters is the word itself
        mapfile -t COMPREPLY < <(compgen -W "-o $(sed 's/=[A-Z].*//' <<<"$options")" -- "$current")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X "!*.$files" -- "$current")
    fi
}
complete -F _wasmshare wasmshare

# bash completion for wasmshare
_wasmshare() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options='' files=wasm
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'combine relocate prepare inspect heap-base verify --help --version --makefile' -- "$current")
        return
    fi
    case ${COMP_WORDS[1]} in
        combine)
            options='-o --output --name --extra-stack --base --align --heap-size --max-memory --stack=shared --stack-size
                --table=shared --heap-owner --threads --host-import --host-imports --prefer --keep-relocs --trust-pic --print-map --map --env --depfile
                --link --heap --single --import-memory --strip-debug'
            case $previous in
                -o | --output)
                    mapfile -t COMPREPLY < <(compgen -d -- "$current")
                    return
                    ;;
                --depfile | --map | --env)
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                    return
                    ;;
                --name | --extra-stack | --base | --align | --heap-size | --max-memory | --stack-size | --heap-owner | \
                    --threads | --host-import | --host-imports | --prefer) return ;;
            esac
            ;;
        relocate)
            options='-o --output --offset --heap-base --table-offset --keep-relocs --trust-pic'
            case $previous in
                --offset | --heap-base | --table-offset) return ;;
            esac
            ;;
        prepare)
            options='-o --output --trust-pic --depfile'
            case $previous in
                -o | --output)
                    mapfile -t COMPREPLY < <(compgen -d -- "$current")
                    return
                    ;;
                --depfile)
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                    return
                    ;;
            esac
            ;;
        inspect) options='--json --trust-pic' ;;
        verify) files=json ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X "!*.$files" -- "$current")
    fi
}
complete -F _wasmshare wasmshare

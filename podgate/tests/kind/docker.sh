#!/bin/sh
# A stand-in for docker: the nodes of clusters are files in $STANDIN/nodes, named like their cluster. kind itself can
# create a cluster on it; what runs in the node is the test's.
echo "docker $*" >>"$STANDIN/log"
node() { grep -l "^$1\$" "$STANDIN"/nodes/* 2>/dev/null | head -n 1; }
case "$1" in
-v) echo "Docker version 28.0.0, build standin" ;;
info)
    if [ -e "$STANDIN/no-engine" ]; then
        cat "$STANDIN/no-engine" >&2
        exit 1
    fi
    case "$*" in
    *"{{json .}}") cat "$STANDIN/info" ;;
    *Driver*) echo overlay2 ;;
    *) echo "[]" ;;
    esac
    ;;
ps)
    for word in "$@"; do
        case "$word" in label=io.x-k8s.kind.cluster=*) name=${word##*=} ;; esac
    done
    [ ! -e "$STANDIN/nodes/$name" ] || cat "$STANDIN/nodes/$name"
    ;;
network)
    case "$2" in
    ls) echo "0123 kind" ;;
    inspect) echo '[{"Name": "kind", "Id": "0123"}]' ;;
    esac
    ;;
inspect)
    for word in "$@"; do last=$word; done
    case "$*" in
    *--type=image*)
        if [ -e "$STANDIN/no-image" ]; then exit 1; fi
        ;;
    *kind.role*) echo control-plane ;;
    *desktop.docker.io*) echo ;;
    *.State.Status*)
        if [ -z "$(node "$last")" ]; then exit 1; fi
        echo running
        ;;
    *NetworkSettings.Networks*) echo "172.18.0.2," ;;
    *NetworkSettings.Ports*)
        name=$(basename "$(node "$last")")
        server=$(sed -n 's/^ *server: *//p' "$STANDIN/answers/$name" | tr -d '"')
        printf '127.0.0.1\t%s\n' "${server##*:}"
        ;;
    esac
    ;;
pull)
    cat "$STANDIN/no-image" >&2
    exit 1
    ;;
run)
    for word in "$@"; do
        case "$word" in
        io.x-k8s.kind.cluster=*) name=${word##*=} ;;
        esac
        image=$word
    done
    echo "$name-control-plane" >"$STANDIN/nodes/$name"
    echo "$image" >"$STANDIN/images/$name"
    echo "$*" >"$STANDIN/runs/$name"
    ;;
logs) echo "Reached target Multi-User System." ;;
rm)
    if [ -e "$STANDIN/stuck" ]; then
        cat "$STANDIN/stuck" >&2
        exit 1
    fi
    for word in "$@"; do rm -f "$(node "$word")"; done
    ;;
exec)
    shift
    while :; do
        case "$1" in
        -e) shift 2 ;;
        -*) shift ;;
        *) break ;;
        esac
    done
    name=$(basename "$(node "$1")")
    shift
    case "$*" in
    "cat /kind/version") sed 's/.*node:\(v[0-9.]*\).*/\1/' "$STANDIN/images/$name" | tr -d '\n' ;;
    "cp /dev/stdin /kind/kubeadm.conf") cat >"$STANDIN/kubeadm/$name" ;;
    "kubeadm init"*)
        if [ -e "$STANDIN/no-init" ]; then
            cat "$STANDIN/no-init" >&2
            exit 1
        fi
        printf '%s\n%s\n' "$name" "" >"$STANDIN/requests/.$name"
        mv "$STANDIN/requests/.$name" "$STANDIN/requests/$name"
        while [ ! -e "$STANDIN/answers/$name" ]; do sleep 0.05; done
        ;;
    "cat /etc/kubernetes/admin.conf") cat "$STANDIN/answers/$name" ;;
    "cat "*) echo "kind: ConfigMap" ;;
    *create* | *apply*) cat >/dev/null ;;
    esac
    ;;
esac

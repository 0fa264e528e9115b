#!/bin/sh
# A stand-in for kind: it does what podgate relies on, and leaves the cluster itself to the test, which hosts an
# embedded API server configured as the file says. $STANDIN is the folder that both look at.
echo "kind $*" >>"$STANDIN/log"
case "$1" in
version)
    cat "$STANDIN/version"
    exit
    ;;
create | delete) verb=$1 ;;
*) exit 64 ;;
esac
shift 2
while [ $# -gt 0 ]; do
    case "$1" in
    --name) name=$2 ;;
    --config) config=$2 ;;
    --kubeconfig) kubeconfig=$2 ;;
    esac
    shift 2
done
if [ "$verb" = delete ]; then
    echo "Deleting cluster \"$name\" ..." >&2
    if [ -e "$STANDIN/stuck" ]; then
        echo "ERROR: failed to delete cluster \"$name\": $(cat "$STANDIN/stuck")" >&2
        exit 1
    fi
    rm -f "$STANDIN/nodes/$name"
    exit
fi
echo "Creating cluster \"$name\" ..." >&2
echo " • Ensuring node image (kindest/node) 🖼  ..." >&2
if [ -e "$STANDIN/failure" ]; then
    cat "$STANDIN/failure" >&2
    exit 1
fi
echo " • Preparing nodes 📦  ..." >&2
echo "$name-control-plane" >"$STANDIN/nodes/$name"
# The test answers with the kubeconfig; the name of a file is complete once the file is.
printf '%s\n%s\n' "$name" "$config" >"$STANDIN/requests/.$name"
mv "$STANDIN/requests/.$name" "$STANDIN/requests/$name"
while [ ! -e "$STANDIN/answers/$name" ] || [ -e "$STANDIN/hold" ]; do sleep 0.05; done
echo " • Starting control-plane 🕹  ..." >&2
cp "$STANDIN/answers/$name" "$kubeconfig"

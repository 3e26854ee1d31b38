# A server of one revision whose every answer claims JSON-RPC 1.0, and whose name tries to clear the screen.
echo 'starting' >&2
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9][0-9]*\).*/\1/p')
    [ -n "$id" ] || continue
    printf '{"jsonrpc":"1.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{},' "$id"
    printf '"serverInfo":{"name":"\\u001b[2Jconforms","version":"1.0"},"tools":[],"prompts":[],"resources":[]}}\n'
done

#!/usr/bin/env bash
# Runs a command on the first of two hosts: network namespaces joined by a link that delays frames and loses some.
#   bash tests/hosts.sh [--delay MILLISECONDS] [--loss PERCENT] -- COMMAND [ARGUMENT …]
# Defaults: 1 ms each way and 0.1 %. Needs root and /dev/net/tun. The hosts are 10.99.0.1 and 10.99.0.2 and share the disk. Loopback
# of the second leads to that of the first, so that servers which listen to 127.0.0.1 serve both.
# COMMAND gets HOSTS (their addresses, comma-separated), HOSTFILE (for mpirun) and LINK (the process of the link: SIGUSR1 cuts it,
# SIGUSR2 mends it); its mpirun starts ranks on the second host without ssh.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"

delay=1
loss=0.1
while [ $# -gt 0 ]; do
  case $1 in
    --delay) delay=$2; shift 2 ;;
    --loss) loss=$2; shift 2 ;;
    --) shift; break ;;
    *) fail "unknown option $1; there are --delay and --loss, then -- and a command" ;;
  esac
done
[ $# -gt 0 ] || fail "no command"
install_these ip=iproute2 nft=nftables python3 mpirun=openmpi-bin

folder=$(mktemp -d)
first=streaming-$$-1
second=streaming-$$-2
link=
clean() {
  [ -z "$link" ] || kill "$link" 2>/dev/null || true
  ip netns delete "$first" 2>/dev/null || true
  ip netns delete "$second" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT

ip netns add "$first"
ip netns add "$second"
mkfifo "$folder/ready"
python3 "$top/tests/link.py" "$first" "$second" "$delay" "$loss" >"$folder/ready" &
link=$!
read -r _ <"$folder/ready"
number=0
for host in "$first" "$second"; do
  number=$((number + 1))
  ip -n "$host" address add "10.99.0.$number/24" dev wire
  ip -n "$host" link set lo up
  ip -n "$host" link set wire up
  ip netns exec "$host" sysctl -q -w net.ipv4.conf.all.route_localnet=1 net.ipv6.conf.all.disable_ipv6=1
done
# What listens on the second host itself has a port of this range. The first leads from an address that no host has to its loopback,
# so that connections to its own address are left alone.
ip netns exec "$second" sysctl -q -w net.ipv4.ip_local_port_range='61000 65535'
ip -n "$second" route add 10.99.1.1 via 10.99.0.1
ip netns exec "$second" nft -f - <<RULES
table ip loopback {
  chain leaving { type nat hook output priority -100; ip daddr 127.0.0.1 tcp dport < 61000 dnat to 10.99.1.1; }
  chain left { type nat hook postrouting priority 100; oifname wire masquerade; }
}
RULES
ip netns exec "$first" nft -f - <<RULES
table ip loopback {
  chain arriving { type nat hook prerouting priority -100; ip daddr 10.99.1.1 meta l4proto tcp dnat to 127.0.0.1; }
  chain arrived { type nat hook input priority 100; ip daddr 127.0.0.1 ip saddr 10.99.0.2 snat to 127.0.0.1; }
}
RULES

printf '10.99.0.1 slots=1\n10.99.0.2 slots=1\n' >"$folder/hosts"
# What mpirun calls in place of ssh: the host's address, then a command line for its shell.
cat >"$folder/agent" <<AGENT
#!/usr/bin/env bash
host=$second
[ "\$1" = 10.99.0.2 ] || host=$first
shift
exec ip netns exec "\$host" unshare --uts bash -c 'hostname "\$0" && eval "\$*"' "\$host" "\$@"
AGENT
chmod +x "$folder/agent"

export HOSTS=10.99.0.1,10.99.0.2 HOSTFILE=$folder/hosts LINK=$link OMPI_MCA_plm_rsh_agent=$folder/agent
code=0
ip netns exec "$first" unshare --uts bash -c 'hostname "$0" && exec "$@"' "$first" "$@" || code=$?
exit "$code"

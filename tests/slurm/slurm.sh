#!/usr/bin/env bash
# A Slurm of one node on this machine, for the tests in this folder.
#
#   slurm.sh start    install what is missing (Debian packages; as root), then start munge, slurmctld and slurmd
#   slurm.sh stop     end what was started, and remove its files (the packages stay)
#
# Exit code 77 and one line that says why, where it cannot or should not be: no root, no apt, a Slurm that is not ours.
set -euo pipefail

PACKAGES=(munge slurm-client slurmctld slurmd rsync) # the last for test_storage.py
HERE=/run/unit-clusters-slurm # pids, state, logs
CONFIGURATION=/etc/slurm/slurm.conf
MARK="# Written by unit-clusters, tests/slurm/slurm.sh"

refuse() {
    echo "$1"
    exit 77
}

running() {
    [ "$(cat "/proc/$(cat "$HERE/$1.pid" 2> /dev/null)/comm" 2> /dev/null)" = "$1" ]
}

stop() {
    if running slurmctld; then # cancel what a failed test has left
        scancel --user "$(id -un)"
        timeout 20 bash -c 'while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done' || true
    fi
    for daemon in slurmd slurmctld munged; do
        ! running "$daemon" || kill "$(cat "$HERE/$daemon.pid")"
        for _ in {1..100}; do
            running "$daemon" || break
            sleep 0.1
        done
    done
    rm -rf "$HERE"
    rm -f "$CONFIGURATION"
}

start() {
    installed=$(dpkg-query --show --showformat '${db:Status-Status}\n' "${PACKAGES[@]}" 2> /dev/null | grep -cx installed || true)
    if [ "$installed" != ${#PACKAGES[@]} ]; then
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}"
    fi
    mkdir -p "$HERE"/state "$HERE"/spool "$(dirname "$CONFIGURATION")"
    configure > "$CONFIGURATION"
    if ! munge -n > /dev/null 2>&1; then
        install -d -o munge -m 755 /run/munge
        install -o munge /dev/null "$HERE/munged.pid"
        runuser -u munge -- munged --pid-file "$HERE/munged.pid"
    fi
    slurmctld -c
    slurmd
    for _ in {1..100}; do
        [ "$(sinfo --noheader --format %T 2> /dev/null)" != idle ] || return 0
        sleep 0.2
    done
    tail -n 5 "$HERE"/*.log
    echo "Slurm's node did not become idle in 20 seconds." >&2
    exit 1
}

# One node with the cores of this machine and most of its memory, on loopback addresses only. Without an accounting
# database, so finished jobs stay known to squeue for a day. A job that takes more memory than it asked for is killed.
configure() {
    cat << END
$MARK
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthType=auth/munge
MpiDefault=none
SlurmctldPidFile=$HERE/slurmctld.pid
SlurmdPidFile=$HERE/slurmd.pid
StateSaveLocation=$HERE/state
SlurmdSpoolDir=$HERE/spool
SlurmctldLogFile=$HERE/slurmctld.log
SlurmdLogFile=$HERE/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
EnforcePartLimits=ALL
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
KillWait=5
MinJobAge=86400
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN) RealMemory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefMemPerCPU=500
END
}

[ "$(id -u)" = 0 ] || refuse "Slurm can be installed and started by root only."
command -v apt-get > /dev/null || refuse "Slurm is installed here with apt-get, which this machine lacks."
if ! grep -qsxF "$MARK" "$CONFIGURATION" && { [ -e "$CONFIGURATION" ] || timeout 10 sinfo > /dev/null 2>&1; }; then
    refuse "This machine has a Slurm of its own, which is left alone."
fi
case ${1:-} in
    start) stop && start ;;
    stop) stop ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac

#!/usr/bin/env bash
# How a submitted job goes: prints running, success or failed. Here for Slurm; docs/cluster.md has PBS for an example.
case $(squeue --noheader --states=all --format=%T --jobs "$1" 2>&1) in
    COMPLETED) echo success ;;
    CANCELLED | FAILED | TIMEOUT | OUT_OF_MEMORY | NODE_FAIL | BOOT_FAIL | DEADLINE) echo failed ;;
    *"Invalid job id"*) echo failed ;; # forgotten long ago
    *) echo running ;;                 # waiting, or the scheduler did not answer
esac

# `snakemake --cores N` makes the whole paper. Everything is in workflow/.
include: "workflow/Snakefile"


# An included rule cannot be the default target, so the default is named here.
rule default:
    input:
        rules.all.input,

"""All targets: where jobs run, one file each."""

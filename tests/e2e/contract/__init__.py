"""An independent client of the API: it knows the contract and nothing else."""

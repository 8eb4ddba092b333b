import pytest

from imageloom.distributed.ranks import (
    ALONE,
    HostedRank,
    Ranks,
    StartedRank,
    placed,
    ranks_from_environment,
    require_own_local_ranks,
    started_rank,
)
from imageloom.errors import EnvironmentUnsuitableError

TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "n1",
    "MASTER_PORT": "29500",
}
# As Slurm 22.05 gives them: srun --nodes=2 --ntasks-per-node=2, and sbatch with three tasks on two.
SRUN = {
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_NTASKS": "4",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NODELIST": "n[1-2]",
}
UNEVEN = {
    **SRUN,
    "SLURM_PROCID": "4",
    "SLURM_NODEID": "2",
    "SLURM_LOCALID": "0",
    "SLURM_STEP_NUM_TASKS": "5",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2),1",
}
BATCH_SCRIPT = {
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "3",
    "SLURM_NPROCS": "3",
    "SLURM_TASKS_PER_NODE": "2,1",
}
# srun starts one process of torchrun or mpirun on each machine, and that starts the ranks.
ONE_TASK_PER_NODE = {
    **SRUN,
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "0",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
}
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "OMPI_COMM_WORLD_NODE_RANK": "1",  # not the number of the machine
}
HYDRA = {"PMI_RANK": "3", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}, None),
        (TORCHRUN, StartedRank("torchrun", 5, 8, 1, 4, 1)),
        # Kubeflow, SkyPilot and dstack start torchrun with their numbers, which gives these.
        (TORCHRUN | {"PET_NNODES": "2", "SKYPILOT_NODE_RANK": "1"}, started_rank(TORCHRUN)),
        # An operator or a script that starts each process itself knows no more than this.
        ({"RANK": "1", "WORLD_SIZE": "2"}, StartedRank("torchrun", 1, 2)),
        (
            {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "NODE_RANK": "1"},
            StartedRank("torchrun", 1, 2, 0, None, 1),
        ),
        (SRUN, StartedRank("srun", 3, 4, 1, 2, 1)),
        (UNEVEN, StartedRank("srun", 4, 5, 0, 1, 2)),
        (UNEVEN | {"SLURM_PROCID": "1", "SLURM_NODEID": "0"}, StartedRank("srun", 1, 5, 0, 2, 0)),
        (SRUN | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "SLURM_NODEID": "0",
                 "SLURM_LOCALID": "0", "SLURM_STEP_TASKS_PER_NODE": "1"}, None),
        (BATCH_SCRIPT, None),
        (SRUN | {"PMI_RANK": "3", "PMI_SIZE": "4"}, StartedRank("srun", 3, 4, 1, 2, 1)),
        (ONE_TASK_PER_NODE | TORCHRUN, StartedRank("torchrun", 5, 8, 1, 4, 1)),
        (OPEN_MPI, StartedRank("mpirun", 3, 4, 1, 2)),
        (ONE_TASK_PER_NODE | OPEN_MPI, StartedRank("mpirun", 3, 4, 1, 2)),
        (HYDRA, StartedRank("mpiexec", 3, 4, 1, 2)),
        (ONE_TASK_PER_NODE | HYDRA, StartedRank("mpiexec", 3, 4, 1, 2)),
        ({"PMI_RANK": "3", "PMI_SIZE": "4"}, StartedRank("mpiexec", 3, 4)),
    ],
)  # fmt: skip
def test_the_place_is_what_started_the_process_says(environment, expected):
    assert started_rank(environment) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RANK": "two", "WORLD_SIZE": "2"}, "RANK is 'two', but must be a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "-2"}, "WORLD_SIZE is '-2', but must be a whole number"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK is 2, but WORLD_SIZE is 2"),
        ({"WORLD_SIZE": "2"}, "RANK is not set, but WORLD_SIZE is '2'"),
        ({"RANK": "1"}, "WORLD_SIZE is not set, but RANK is '1'"),
        (TORCHRUN | {"LOCAL_RANK": "4"}, "LOCAL_RANK is 4, but of LOCAL_WORLD_SIZE 4 are"),
        (TORCHRUN | {"LOCAL_WORLD_SIZE": "9"}, "LOCAL_WORLD_SIZE 9 .* but WORLD_SIZE is 8"),
        (SRUN | {"SLURM_PROCID": "4"}, "SLURM_PROCID is 4, but SLURM_STEP_NUM_TASKS is 4"),
        (SRUN | {"SLURM_LOCALID": "2"}, "SLURM_LOCALID is 2, but of SLURM_STEP_TASKS_PER_NODE 2"),
        (SRUN | {"SLURM_NODEID": "2"}, r"TASKS_PER_NODE is '2\(x2\)', which .* machine 2 \("),
        (SRUN | {"SLURM_STEP_TASKS_PER_NODE": "2,x"}, "TASKS_PER_NODE is '2,x', which names no"),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_their_names(environment, message):
    with pytest.raises(EnvironmentUnsuitableError, match=message):
        started_rank(environment)


def test_without_the_variables_of_our_launcher_a_process_is_alone():
    assert ranks_from_environment(SRUN) == ranks_from_environment({}) == ALONE
    assert ALONE.is_alone
    assert ALONE.is_first


def test_our_launcher_speaks_as_torch_elastic_does_and_its_ranks_share_their_cores():
    found = ranks_from_environment(TORCHRUN)
    assert found == Ranks(5, 8, local_rank=1, local_world_size=4, node_rank=1, core_sharers=4)
    assert not found.is_alone
    assert not found.is_first


def test_what_nobody_told_follows_from_where_all_run():
    hosted = [HostedRank(machine) for machine in ("a", "b", "a", "b", "a")]
    place = placed(StartedRank("mpiexec", 4, 5), hosted)
    assert place == Ranks(
        rank=4, world_size=5, local_rank=2, local_world_size=3, node_rank=0, core_sharers=3
    )
    assert placed(StartedRank("mpiexec", 3, 5), hosted).node_rank == 1


def test_what_was_told_stays():
    hosted = [HostedRank("a", local_rank=1), HostedRank("a", local_rank=0)]
    place = placed(StartedRank("torchrun", 0, 2, 1, 2, 7), hosted)
    assert (place.local_rank, place.local_world_size, place.node_rank) == (1, 2, 7)


def test_ranks_that_were_given_cores_of_their_own_do_not_share_them():
    hosted = [HostedRank("a", (0, 1)), HostedRank("a", (2, 3)), HostedRank("a", (3, 4))]
    shares = [placed(StartedRank("srun", rank, 3), hosted).core_sharers for rank in range(3)]
    assert shares == [1, 2, 2]


def test_two_processes_of_a_machine_that_would_take_the_same_gpu_are_refused():
    require_own_local_ranks([HostedRank("a", local_rank=0), HostedRank("b", local_rank=0)])
    require_own_local_ranks([HostedRank("a"), HostedRank("a")])
    hosted = [HostedRank("b"), *[HostedRank("a", local_rank=0)] * 2]
    with pytest.raises(EnvironmentUnsuitableError, match=r"Ranks 1, 2 of 3 .* local rank 0"):
        require_own_local_ranks(hosted)

using System.Globalization;
using Streaming.Learning.Ranks;
using Streaming.Ranks.Native;

namespace Streaming.Ranks;

/// <summary>Joins the ranks that a launcher of MPI started: <c>mpirun</c>, or Slurm's <c>srun --mpi=pmix</c>.</summary>
public static class MpiWorld
{
    // What launchers tell a process of the number of processes: Open MPI's mpirun, and those that speak PMI, as MPICH's does.
    private static readonly string[] Sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
    private static readonly string[] Launched = [.. Sizes, "PMIX_RANK"];

    // The number of a process among those on its host: Open MPI's mpirun, Slurm, PMI.
    private static readonly string[] LocalRanks = ["OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"];
    private static readonly string[] LocalSizes = ["OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"];

    /// <summary>Gets the number of this process among the ranks on its host, 0 and up; 0 where no launcher tells.</summary>
    public static int LocalRank => Number(LocalRanks, 0, Environment.GetEnvironmentVariable);

    /// <summary>Gets the number of ranks on this host, 1 and up; 1 where no launcher tells.</summary>
    public static int LocalSize => Math.Max(1, Number(LocalSizes, 1, Environment.GetEnvironmentVariable));

    /// <summary>Joins the ranks. Call once in a process.</summary>
    /// <returns>This process's rank; a world of one when no launcher started it, for which Open MPI need not be installed.</returns>
    /// <exception cref="RanksException">A launcher started this process and Open MPI is missing, is too old, or sees another number of
    /// processes than the launcher: they would not train one model.</exception>
    public static Collective Join() => Join(Environment.GetEnvironmentVariable);

    /// <summary>Joins the ranks that the environment speaks of.</summary>
    internal static Collective Join(Func<string, string?> variable)
    {
        if (!Launched.Any(name => !string.IsNullOrEmpty(variable(name))))
        {
            return new SoloCollective();
        }

        var mpi = MpiHandles.Of(Load(() => OpenMpi.Load()));
        Check(OpenMpi.Init(0, 0, OpenMpi.Serialized, out int threads), "MPI_Init_thread");
        Check(OpenMpi.SetErrorHandler(mpi.World, mpi.ErrorsReturn), "MPI_Comm_set_errhandler");
        Check(OpenMpi.Rank(mpi.World, out int rank), "MPI_Comm_rank");
        Check(OpenMpi.Size(mpi.World, out int size), "MPI_Comm_size");
        if (threads < OpenMpi.Serialized)
        {
            throw new RanksException(
                $"Open MPI has thread level {threads}; {OpenMpi.Serialized} (MPI_THREAD_SERIALIZED) is required, because the trainer is "
                    + "not the first thread. Use a build with threads, as those of the distributions are."
            );
        }

        Compare(size, variable);
        return new MpiCollective(mpi, rank, size);
    }

    /// <summary>The first number that the environment of a launched process has under these names.</summary>
    internal static int Number(string[] names, int otherwise, Func<string, string?> variable)
    {
        foreach (string name in Launched.Any(name => !string.IsNullOrEmpty(variable(name))) ? names : [])
        {
            if (int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                return number;
            }
        }

        return otherwise;
    }

    /// <summary>Loads Open MPI.</summary>
    /// <exception cref="RanksException">It cannot be loaded.</exception>
    internal static nint Load(Func<nint> load)
    {
        try
        {
            return load();
        }
        catch (DllNotFoundException exception)
        {
            throw new RanksException(
                "A launcher of MPI started this process, but Open MPI cannot be loaded. Install Open MPI 4.1 on every host (Debian: "
                    + $"openmpi-bin), or start one process without the launcher. {exception.Message}"
            );
        }
    }

    private static void Compare(int size, Func<string, string?> variable)
    {
        foreach (string name in Sizes)
        {
            if (variable(name) is { Length: > 0 } text && text != size.ToString(CultureInfo.InvariantCulture))
            {
                throw new RanksException(
                    $"The launcher started {text} processes ({name}), Open MPI joined {size}. Start the job with the mpirun of "
                        + "the Open MPI that is installed, not with that of another MPI."
                );
            }
        }
    }

    private static void Check(int error, string function)
    {
        if (error != 0)
        {
            throw new RanksException($"{function} failed: {OpenMpi.Text(error)}");
        }
    }
}

using Streaming.Ranks.Native;

namespace Streaming.Ranks;

/// <summary>Predefined objects of Open MPI.</summary>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN.</param>
internal readonly record struct MpiHandles(nint World, nint Byte, nint ErrorsReturn)
{
    /// <summary>Finds them in the loaded library.</summary>
    public static MpiHandles Of(nint library) =>
        new(
            OpenMpi.Handle(library, "ompi_mpi_comm_world"),
            OpenMpi.Handle(library, "ompi_mpi_byte"),
            OpenMpi.Handle(library, "ompi_mpi_errors_return")
        );
}

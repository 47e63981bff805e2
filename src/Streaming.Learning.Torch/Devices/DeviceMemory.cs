using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Devices;

/// <summary>
/// Number of candidates that the loss processes at a time. When the device runs out of memory, the step is retried with half as
/// many; at the minimum it fails with the numbers.
/// </summary>
/// <remarks>The smaller size is kept: otherwise every step would fail first.</remarks>
internal sealed class DeviceMemory
{
    /// <summary>Minimum candidates per chunk.</summary>
    public const long LeastColumns = 256;

    private readonly long _chunkBytes;
    private long _most = long.MaxValue;

    /// <summary>Creates the plan.</summary>
    /// <param name="chunkBytes">Target size of a chunk's working set in bytes.</param>
    public DeviceMemory(long chunkBytes)
    {
        _chunkBytes = chunkBytes;
    }

    /// <summary>Gets the number of times a step was retried.</summary>
    public int Halvings { get; private set; }

    /// <summary>Whether an error means that memory ran out.</summary>
    public static bool IsExhausted(Exception error) =>
        error is ExternalException
        && (
            error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || error.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)
            || error.Message.Contains("CUBLAS_STATUS_ALLOC_FAILED", StringComparison.Ordinal)
        );

    /// <summary>Columns per chunk.</summary>
    /// <param name="bytesPerColumn">Working set per column.</param>
    public long Columns(long bytesPerColumn) => Math.Min(_most, Math.Max(LeastColumns, _chunkBytes / Math.Max(1, bytesPerColumn)));

    /// <summary>Runs work that may run out of memory and must change nothing when it throws.</summary>
    /// <param name="candidates">Total number of candidates.</param>
    /// <param name="bytesPerColumn">Working set per column.</param>
    /// <param name="work">The work, given the number of columns per chunk.</param>
    /// <param name="describe">Describes what the work needs, for the message.</param>
    /// <exception cref="TorchDeviceException">It does not fit even with the minimum number of columns.</exception>
    public T Run<T>(long candidates, long bytesPerColumn, Func<long, T> work, Func<string> describe)
    {
        while (true)
        {
            long columns = Math.Min(Columns(bytesPerColumn), Math.Max(1, candidates));
            try
            {
                return work(columns);
            }
            catch (ExternalException error) when (IsExhausted(error))
            {
                if (columns <= LeastColumns)
                {
                    throw new TorchDeviceException(
                        $"The device is out of memory with {columns} candidates at a time ({columns * bytesPerColumn:N0} bytes of "
                            + $"scores): {describe()}. Lower the batch, STREAMING__Model__BankCapacity, the widths or the item "
                            + $"capacity. The device reported: {TorchDevices.FirstLine(error)}.",
                        error
                    );
                }

                _most = Math.Max(LeastColumns, columns / 2);
                Halvings++;
            }
        }
    }
}

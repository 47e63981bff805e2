using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Devices;

/// <summary>
/// How many candidates the loss takes at a time. When the device is out of memory the step is done again with half as
/// many; at the least number it fails with the figures.
/// </summary>
/// <remarks>The smaller size stays: what did not fit once would be tried again every step.</remarks>
internal sealed class DeviceMemory
{
    /// <summary>Fewest candidates of a chunk.</summary>
    public const long LeastColumns = 256;

    private readonly long _chunkBytes;
    private long _most = long.MaxValue;

    /// <summary>Creates the plan.</summary>
    /// <param name="chunkBytes">About how many bytes the working set of a chunk may take.</param>
    public DeviceMemory(long chunkBytes)
    {
        _chunkBytes = chunkBytes;
    }

    /// <summary>Gets how often a step had to be done again.</summary>
    public int Halvings { get; private set; }

    /// <summary>Whether an error says that memory ran out.</summary>
    public static bool IsExhausted(Exception error) => error is ExternalException
        && (error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)
            || error.Message.Contains("CUBLAS_STATUS_ALLOC_FAILED", StringComparison.Ordinal));

    /// <summary>Columns of a chunk.</summary>
    /// <param name="bytesPerColumn">Working set of a column.</param>
    public long Columns(long bytesPerColumn) => Math.Min(_most, Math.Max(LeastColumns, _chunkBytes / Math.Max(1, bytesPerColumn)));

    /// <summary>Runs work that may run out of memory, and must change nothing when it throws.</summary>
    /// <param name="candidates">Candidates in all.</param>
    /// <param name="bytesPerColumn">Working set of a column.</param>
    /// <param name="work">Takes the columns of a chunk.</param>
    /// <param name="describe">Says what the work needs, for the message.</param>
    /// <exception cref="TorchDeviceException">It does not fit with the fewest columns.</exception>
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
                        $"The device is out of memory with {columns} candidates at a time ({columns * bytesPerColumn:N0} bytes of scores): {describe()}. Lower the batch, STREAMING__Model__BankCapacity, the widths or the item capacity. The device said: {TorchDevices.FirstLine(error)}.",
                        error);
                }

                _most = Math.Max(LeastColumns, columns / 2);
                Halvings++;
            }
        }
    }
}

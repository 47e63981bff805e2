using System.Diagnostics;
using Streaming.Learning.Torch.Engine;
using Streaming.Models.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>How long a checkpoint pauses training, and how long its transfer to the host takes during training.</summary>
internal static class SnapshotTiming
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Starts two snapshots, the first of which allocates device memory, and reads the second.</summary>
    public static void Report(TorchEngine engine, Device device)
    {
        double first = Begin(engine, device, out TensorSnapshot snapshot);
        snapshot.Dispose();
        double second = Begin(engine, device, out snapshot);
        using (snapshot)
        {
            long start = Stopwatch.GetTimestamp(),
                bytes = 0;
            byte[] block = new byte[BlockBytes];
            for (int i = 0; i < snapshot.Tensors.Count; i++)
            {
                long length = snapshot.Tensors[i].ByteCount();
                for (long at = 0; at < length; at += BlockBytes)
                {
                    snapshot.Read(i, at, block.AsSpan(0, (int)Math.Min(BlockBytes, length - at)));
                }

                bytes += length;
            }

            Console.WriteLine(
                $"  snapshot of {bytes >> 20:N0} MiB: {first:F1} ms to begin, {second:F1} ms the next time; read in "
                    + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s"
            );
        }
    }

    private static double Begin(TorchEngine engine, Device device, out TensorSnapshot snapshot)
    {
        long start = Stopwatch.GetTimestamp();
        snapshot = engine.BeginSnapshot();
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}

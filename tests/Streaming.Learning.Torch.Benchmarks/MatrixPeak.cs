using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>
/// Peak throughput of the device's library in a product of two large matrices: the reference for everything made of products.
/// </summary>
internal static class MatrixPeak
{
    /// <summary>Operations per second (a multiply-add is two), the best of several products.</summary>
    public static double Measure(Device device)
    {
        bool card = device.type == DeviceType.CUDA;
        long n = card ? 8192 : 2048;
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor left = ones(n, n, device: device),
            right = ones(n, n, device: device);
        double best = double.PositiveInfinity;
        for (int round = 0; round < 8; round++)
        {
            long start = Stopwatch.GetTimestamp();
            left.mm(right).Dispose();
            if (card)
            {
                cuda.synchronize(device);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * n * n * n / best;
    }
}

namespace Streaming.Benchmarks;

/// <summary>The nested softmax in PyTorch, on the same data.</summary>
internal static class SoftmaxPeer
{
    /// <summary>Hands the data over.</summary>
    public static void Load(TorchPeer peer, SoftmaxWorkload workload)
    {
        string path = Path.Combine(Path.GetTempPath(), $"softmax-{Guid.NewGuid():N}.bin");
        try
        {
            workload.Write(path);
            peer.Ask($"softmax-load {path} {workload.Shape.Rows} {workload.Shape.Bank} {string.Join(',', workload.Shape.Widths)}");
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A faster wrong answer is no answer: the losses of both sides agree before anything is timed.</summary>
    public static void RequireSameLosses(TorchPeer peer, SoftmaxWorkload workload, string variant)
    {
        double[] answer = peer.Ask($"softmax {variant}");
        for (int k = 0; k < workload.Losses.Length; k++)
        {
            if (Math.Abs(answer[k + 1] - workload.Losses[k]) > 1e-4 * workload.Losses[k])
            {
                throw new InvalidOperationException($"{workload.Shape.Name}, width {workload.Shape.Widths[k]}: our loss is {workload.Losses[k]}, that of {variant} {answer[k + 1]}.");
            }
        }
    }
}

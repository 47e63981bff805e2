using System.Globalization;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>What is measured, from the command line.</summary>
internal sealed record BenchmarkShape(string Device, int Batch, int Bank, int Dimension, int History, int Layers, int Steps, bool Tf32, double Peak, bool Cpu)
{
    /// <summary>The nested widths: D and its halves down to an eighth.</summary>
    public int[] Widths => [Dimension / 8, Dimension / 4, Dimension / 2, Dimension];

    /// <summary>Reads "name=value" arguments after the device.</summary>
    /// <exception cref="ArgumentException">An argument has no such name.</exception>
    public static BenchmarkShape Parse(string[] arguments)
    {
        string device = arguments.Length > 0 ? arguments[0] : "cpu";
        var values = arguments.Skip(1).Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.Ordinal);
        string[] known = ["batch", "bank", "dimension", "history", "layers", "steps", "tf32", "peak", "cpu"];
        if (values.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new ArgumentException($"The argument {unknown} is not known; allowed: {string.Join(", ", known)}, each as name=value.");
        }

        int Number(string name, int fallback) => values.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
        bool Flag(string name, bool fallback) => values.TryGetValue(name, out string? text) ? bool.Parse(text) : fallback;
        double peak = values.TryGetValue("peak", out string? given) ? double.Parse(given, CultureInfo.InvariantCulture) : 0;
        return new BenchmarkShape(device, Number("batch", 2048), Number("bank", 65536), Number("dimension", 128), Number("history", 50), Number("layers", 2), Number("steps", 20), Flag("tf32", false), peak, Flag("cpu", true));
    }

    /// <summary>
    /// Multiplications and additions of a step, products of matrices only: 6 for each weight and step in the tower (forward,
    /// and twice that back); in the loss 2·B·N·D to score, the same again to score anew, to reach the users and, of the
    /// batch's own columns, to reach the candidates.
    /// </summary>
    public double Operations(long linearWeights, long steps)
    {
        double scores = 2.0 * Batch * (Batch + Bank) * Dimension;
        return (6.0 * linearWeights * steps) + (3 * scores) + (2.0 * Batch * Batch * Dimension);
    }
}

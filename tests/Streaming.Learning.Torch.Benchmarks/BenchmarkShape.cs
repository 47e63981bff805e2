using System.Globalization;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.State;

namespace Streaming.Learning.Torch.Benchmarks;

/// <summary>The benchmark's command line. The defaults are the training step of RESULTS.md.</summary>
/// <param name="Device">cpu, cuda or cuda:N.</param>
/// <param name="Batch">B, with one prediction per history.</param>
/// <param name="Bank">M, full.</param>
/// <param name="Widths">Nested widths.</param>
/// <param name="History">L, all histories of full length.</param>
/// <param name="Items">Number of items in the catalogue.</param>
/// <param name="Steps">Number of timed steps.</param>
/// <param name="Tf32">Whether products may use TF32.</param>
/// <param name="ReadLossEvery">The engine waits for the loss every this many steps.</param>
/// <param name="Peak">The GPU's peak in TFLOP/s from its data sheet; 0: measured with a product of large matrices.</param>
/// <param name="Cpu">Whether to measure the CPU engine too.</param>
/// <param name="Kernels">Whether the engine runs its own kernels.</param>
/// <param name="Activations">How its kernels store activations.</param>
/// <param name="Peer">How PyTorch runs: eager, compile or reduce-overhead.</param>
/// <param name="Python">The Python whose PyTorch is also measured, on a GPU.</param>
internal sealed record BenchmarkShape(
    string Device,
    int Batch,
    int Bank,
    int[] Widths,
    int History,
    int Items,
    int Steps,
    bool Tf32,
    int ReadLossEvery,
    double Peak,
    bool Cpu,
    KernelMode Kernels,
    ActivationKind Activations,
    string Peer,
    string Python
)
{
    /// <summary>Number of blocks in the tower, equal to PyTorch's.</summary>
    public const int Layers = 2;

    private static readonly string[] Names =
    [
        "batch",
        "bank",
        "widths",
        "history",
        "items",
        "steps",
        "tf32",
        "readEvery",
        "peak",
        "cpu",
        "kernels",
        "activations",
        "peer",
        "python",
    ];

    /// <summary>D.</summary>
    public int Dimension => Widths[^1];

    /// <summary>Reads "name=value" arguments after the device.</summary>
    /// <exception cref="ArgumentException">An argument has no such name.</exception>
    public static BenchmarkShape Parse(string[] arguments)
    {
        string device = arguments.Length > 0 ? arguments[0] : "cpu";
        var values = arguments
            .Skip(1)
            .Select(argument => argument.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.Ordinal);
        if (values.Keys.FirstOrDefault(name => !Names.Contains(name)) is { } unknown)
        {
            throw new ArgumentException($"The argument {unknown} is not known; allowed: {string.Join(", ", Names)}, each as name=value.");
        }

        string Text(string name, string fallback) => values.GetValueOrDefault(name, fallback);
        int Number(string name, string fallback) => int.Parse(Text(name, fallback), CultureInfo.InvariantCulture);
        return new BenchmarkShape(
            device,
            Number("batch", "512"),
            Number("bank", "8192"),
            [.. Text("widths", "8,16,32,64,128").Split(',').Select(width => int.Parse(width, CultureInfo.InvariantCulture))],
            Number("history", "50"),
            Number("items", "20000"),
            Number("steps", "20"),
            bool.Parse(Text("tf32", "false")),
            Number("readEvery", "1"),
            double.Parse(Text("peak", "0"), CultureInfo.InvariantCulture),
            bool.Parse(Text("cpu", "true")),
            Enum.Parse<KernelMode>(Text("kernels", "Auto")),
            Enum.Parse<ActivationKind>(Text("activations", "Full")),
            Text("peer", "eager"),
            Text("python", "/usr/bin/python3")
        );
    }

    /// <summary>
    /// Multiplications and additions of a step, matrix products only: 6 per weight and row in the tower (forward,
    /// and twice that backward); in the loss 2·B·N·D for scores, the same again to recompute them, for the users' gradients and, for the
    /// batch's own columns, for the candidates' gradients.
    /// </summary>
    public double Operations(IReadOnlyList<Parameter> parameters)
    {
        double scores = 2.0 * Batch * (Batch + Bank) * Dimension;
        double tower = parameters.Where(parameter => parameter.Decays).Sum(parameter => 6.0 * parameter.Length * Rows(parameter.Name));
        return tower + (3 * scores) + (2.0 * Batch * Batch * Dimension);
    }

    // After the recurrence of the last block, only predictions are computed.
    private double Rows(string weight) =>
        weight.StartsWith($"tower.block{Layers - 1}.", StringComparison.Ordinal) && !weight.Contains(".lru.input", StringComparison.Ordinal)
            ? Batch
            : (double)Batch * (History + 1);
}

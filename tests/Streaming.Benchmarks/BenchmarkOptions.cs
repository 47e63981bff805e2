namespace Streaming.Benchmarks;

/// <summary>Command line of the benchmarks.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage = "usage: Streaming.Benchmarks [--quick | --ingest] [--report FILE] [--python FILE] [--threads N] [--no-torch] [--processor-time]";

    /// <summary>Gets whether ingestion is measured in place of training. Default false.</summary>
    public bool Ingest { get; private init; }

    /// <summary>Gets where the JSON report goes, or null.</summary>
    public string? Report { get; private init; }

    /// <summary>Gets the Python that has PyTorch. Default /usr/bin/python3: Debian's.</summary>
    public string Python { get; private init; } = "/usr/bin/python3";

    /// <summary>Gets the threads of both sides. Default 2.</summary>
    public int Threads { get; private init; } = 2;

    /// <summary>Gets whether PyTorch is measured beside. Default true.</summary>
    public bool Torch { get; private init; } = true;

    /// <summary>Gets whether our side is measured in processor time; then there is no peer. Default false.</summary>
    public bool ProcessorTime { get; private init; }

    public static BenchmarkOptions Parse(string[] arguments)
    {
        BenchmarkOptions options = new();
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value.\n{Usage}");
            options = arguments[i] switch
            {
                "--quick" => options with { Ingest = false },
                "--ingest" => options with { Ingest = true },
                "--report" => options with { Report = Value() },
                "--python" => options with { Python = Value() },
                "--threads" => options with { Threads = int.Parse(Value(), System.Globalization.CultureInfo.InvariantCulture) },
                "--processor-time" => options with { ProcessorTime = true, Torch = false },
                "--no-torch" => options with { Torch = false },
                _ => throw new ArgumentException($"Unknown argument {arguments[i]}.\n{Usage}"),
            };
        }

        return options;
    }
}

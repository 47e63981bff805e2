using System.Globalization;

namespace Streaming.Chaos.Serving;

/// <summary>Command line of `serving`.</summary>
internal sealed record ServingOptions
{
    public const string Usage =
        "usage: serving [--items N] [--seconds N] [--callers N] [--only NAME,…] [--worker FILE] [--set NAME=VALUE]…";

    /// <summary>Gets the size of the catalogue. Default a million.</summary>
    public int Items { get; private init; } = 1_000_000;

    /// <summary>Gets how long each kind of request is measured. Default 5 s.</summary>
    public TimeSpan Phase { get; private init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets how many requests wait for an answer at a time. Default 4.</summary>
    public int Callers { get; private init; } = 4;

    /// <summary>Gets what to measure: http, grpc, publishing. Default: all.</summary>
    public IReadOnlyList<string> Only { get; private init; } = ["http", "grpc", "publishing"];

    /// <summary>Gets the program to measure. Default: the one that was built with this program.</summary>
    public string Worker { get; private init; } = Path.Combine(AppContext.BaseDirectory, "streaming");

    /// <summary>Gets additional settings of it.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; private init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Parses arguments.</summary>
    /// <exception cref="ArgumentException">An argument is unknown or out of range; names it.</exception>
    public static ServingOptions Parse(string[] arguments)
    {
        ServingOptions options = new();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{name} needs a value.\n{Usage}");
            int Number(int least, int most) =>
                Value() is var text
                && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number >= least
                && number <= most
                    ? number
                    : throw new ArgumentException($"{name} is {arguments[i]}; allowed: {least} … {most}.");
            switch (name)
            {
                case "--items":
                    options = options with { Items = Number(1_000, 20_000_000) };
                    break;
                case "--seconds":
                    options = options with { Phase = TimeSpan.FromSeconds(Number(1, 600)) };
                    break;
                case "--callers":
                    options = options with { Callers = Number(1, 1_000) };
                    break;
                case "--only":
                    options = options with { Only = Known(Value().Split(',')) };
                    break;
                case "--worker":
                    options = options with { Worker = Value() };
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

    private static string[] Known(string[] names) =>
        names.Except(new ServingOptions().Only).FirstOrDefault() is { } unknown
            ? throw new ArgumentException($"--only is {unknown}; allowed: {string.Join(", ", new ServingOptions().Only)}.")
            : names;
}

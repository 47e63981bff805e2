using Streaming.Formats.Mapping;

namespace Streaming.Lab.Backtest;

/// <summary>The command line of a backtest.</summary>
internal sealed record BacktestRequest
{
    /// <summary>Gets the protocol.</summary>
    public BacktestProtocol Protocol { get; init; }

    /// <summary>Gets the file of settings, or null.</summary>
    public string? SettingsFile { get; init; }

    /// <summary>Gets the sequence file, or null.</summary>
    public string? Sequences { get; init; }

    /// <summary>Gets the event files.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>Gets the item files.</summary>
    public IReadOnlyList<string> Items { get; init; } = [];

    /// <summary>Gets what the item files call their fields; null: as they are known without.</summary>
    public ItemMap? ItemColumns { get; init; }

    /// <summary>Gets whether item files provide features.</summary>
    public bool HasFeatures => Items.Count > 0;

    /// <summary>Gets the length of the feature vector made from an item file.</summary>
    public int FeatureLength { get; init; } = 256;

    /// <summary>Gets the settings to try, as NAME=VALUE;VALUE;…: every combination is trained.</summary>
    public IReadOnlyList<string> Try { get; init; } = [];

    /// <summary>Gets further models, each as NAME=VALUE NAME=VALUE …: settings that go together.</summary>
    public IReadOnlyList<string> Also { get; init; } = [];

    /// <summary>Gets the settings of every model.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Combinations => SettingsGrid.Combinations(Try, Also);

    /// <summary>Gets the seeds; every model is trained once per seed.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [1];

    /// <summary>Gets the share of a stream's events after which a planted drift starts; 0: none.</summary>
    public double DriftAt { get; init; }

    /// <summary>Gets whether each width is also trained on its own.</summary>
    public bool SingleWidth { get; init; }

    /// <summary>Gets whether to skip the baselines.</summary>
    public bool NoBaselines { get; init; }

    /// <summary>Gets the cutoffs K.</summary>
    public IReadOnlyList<int> Cutoffs { get; init; } = [5, 10, 20, 50];

    /// <summary>Gets the folder for the best model, or null.</summary>
    public string? Model { get; init; }

    /// <summary>Gets the number of threads.</summary>
    public int Threads { get; init; } = 1;
}

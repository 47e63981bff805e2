namespace Streaming.Lab.Backtest;

/// <summary>What the command line asks for.</summary>
internal sealed record BacktestRequest
{
    /// <summary>Gets the protocol.</summary>
    public BacktestProtocol Protocol { get; init; }

    /// <summary>Gets the file of settings, or null.</summary>
    public string? SettingsFile { get; init; }

    /// <summary>Gets the file of sequences, or null.</summary>
    public string? Sequences { get; init; }

    /// <summary>Gets the files of events.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>Gets the files of item columns.</summary>
    public IReadOnlyList<string> Items { get; init; } = [];

    /// <summary>Gets whether item files bring features.</summary>
    public bool HasFeatures => Items.Count > 0;

    /// <summary>Gets the length of the vector that an item file becomes.</summary>
    public int FeatureLength { get; init; } = 256;

    /// <summary>Gets the settings to try, as NAME=VALUE;VALUE;…: all combinations are trained.</summary>
    public IReadOnlyList<string> Try { get; init; } = [];

    /// <summary>Gets the seeds; every model is trained once with each.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [1];

    /// <summary>Gets from which share of a stream's events on a planted drift holds; 0: none.</summary>
    public double DriftAt { get; init; }

    /// <summary>Gets whether each width is trained alone too.</summary>
    public bool SingleWidth { get; init; }

    /// <summary>Gets whether the baselines are left out.</summary>
    public bool NoBaselines { get; init; }

    /// <summary>Gets the cutoffs K.</summary>
    public IReadOnlyList<int> Cutoffs { get; init; } = [5, 10, 20, 50];

    /// <summary>Gets the folder for the best model, or null.</summary>
    public string? Model { get; init; }

    /// <summary>Gets the number of threads.</summary>
    public int Threads { get; init; } = 1;
}

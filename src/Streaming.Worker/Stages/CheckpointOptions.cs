using Streaming.Core.Options;

namespace Streaming.Worker.Stages;

/// <summary>Where and how often checkpoints are written.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Gets the folder of the checkpoints; on start, the worker resumes from the newest valid one. Workers that
    /// stand by for each other share it. Default checkpoints; empty: none are written.</summary>
    public string Folder { get; init; } = "checkpoints";

    /// <summary>Gets how often one is written. Default 1m; 1s … 1d. Shutting down writes one more.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets how many are kept. Default 3; 1 … 1,000.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(
            Folder.Length == 0 || Folder.IndexOfAny(Path.GetInvalidPathChars()) < 0,
            nameof(Folder),
            Folder,
            "a path, or empty for no checkpoints"
        );
        errors.Range(nameof(Interval), Interval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        errors.Range(nameof(Keep), Keep, 1, 1_000);
        errors.Throw();
    }
}

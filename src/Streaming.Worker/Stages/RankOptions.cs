using Streaming.Core.Options;

namespace Streaming.Worker.Stages;

/// <summary>How the ranks of a job work together. A job is started by deploy/ranks.sh, mpirun or srun; one process alone has no
/// ranks.</summary>
public sealed record RankOptions
{
    /// <summary>Gets how long the ranks wait for one that does not answer: then the job ends with exit code 69, and the log names
    /// it. Default 1m; 5s … 1h.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Timeout), Timeout, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));
        errors.Throw();
    }
}

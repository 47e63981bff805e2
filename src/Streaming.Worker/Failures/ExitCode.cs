namespace Streaming.Worker.Failures;

/// <summary>Exit codes of the process. Numbers from 64 follow sysexits.h.</summary>
/// <remarks>The table in deploy/README.md is generated from these comments; a test compares them.</remarks>
public enum ExitCode
{
    /// <summary>Success: the input ended, or the worker was stopped and drained in time.</summary>
    Success = 0,

    /// <summary>Any other failure; see the log.</summary>
    Failure = 1,

    /// <summary>Invalid command line.</summary>
    Usage = 2,

    /// <summary>
    /// Unusable input: no readable row, more dead letters than `STREAMING__Kafka__MaxDeadLetterRate` allows, records deleted before they
    /// were read, a recreated topic, every checkpoint damaged, or a wrong or damaged file under `inspect` or `encode`.
    /// </summary>
    BadInput = 65,

    /// <summary>A named file or a checkpoint does not exist or cannot be read.</summary>
    NoInput = 66,

    /// <summary>
    /// A required resource is unavailable: a server does not answer, a port is taken, a server program is missing, the dead-letter topic
    /// accepts no records, a native library cannot be loaded, or there is no such device. The message names it.
    /// </summary>
    Unavailable = 69,

    /// <summary>Training diverged: losses were not finite again after one return to the last checkpoint.</summary>
    Diverged = 70,

    /// <summary>The checkpoint does not match the settings, or belongs to another model. The message names the differences.</summary>
    StateMismatch = 73,

    /// <summary>
    /// The final checkpoint could not be written, and training since the previous one is lost; or an output file could not be written
    /// completely.
    /// </summary>
    NotKept = 74,

    /// <summary>Another worker has taken the lease of the model; this one stopped publishing.</summary>
    LeaseLost = 75,

    /// <summary>
    /// Redis rejected a command: the user lacks a permission, or a key of the model holds another type. The message names it.
    /// </summary>
    Refused = 77,

    /// <summary>
    /// A setting is invalid, or `STREAMING__Redis__Partitions` differs from the model in Redis. The message names every invalid setting;
    /// nothing was started.
    /// </summary>
    Configuration = 78,

    /// <summary>Shutdown took longer than `STREAMING__Pipeline__ShutdownTimeout`, or was interrupted by a second signal.</summary>
    Aborted = 130,
}

namespace Streaming.Worker.Failures;

/// <summary>What the process says on its way out. The numbers from 64 up are those of sysexits.h.</summary>
/// <remarks>The table of deploy/README.md is made from these comments, and a test compares the two.</remarks>
public enum ExitCode
{
    /// <summary>Done: the input ended, or the worker was asked to stop and drained in time.</summary>
    Success = 0,

    /// <summary>A failure that has no number of its own; the log says which.</summary>
    Failure = 1,

    /// <summary>The command line was wrong.</summary>
    Usage = 2,

    /// <summary>
    /// The input cannot be used: no readable row, more dead letters than `STREAMING__Kafka__MaxDeadLetterRate` allows, events that are
    /// gone, a topic created anew, no checkpoint that is whole, a damaged one under `inspect`.
    /// </summary>
    BadInput = 65,

    /// <summary>A file that was named, or a checkpoint, does not exist or cannot be read.</summary>
    NoInput = 66,

    /// <summary>
    /// A server that must be there was not, or refused: a port taken, a server program missing, no answer, a dead-letter topic that takes
    /// no records; or a native library cannot be loaded, or the device is not there. The message names it.
    /// </summary>
    Unavailable = 69,

    /// <summary>Training diverged: losses stayed non-finite after one return to the last checkpoint.</summary>
    Diverged = 70,

    /// <summary>The checkpoint does not fit the settings, or belongs to another model; the message says what differs.</summary>
    StateMismatch = 73,

    /// <summary>
    /// The last checkpoint could not be written: what was learned since the one before is not kept. Or an output file could not be written
    /// to its end.
    /// </summary>
    NotKept = 74,

    /// <summary>Another worker took the lease of the model: this one must not publish any more.</summary>
    LeaseLost = 75,

    /// <summary>
    /// Redis refuses what the worker needs: its user lacks a right, or a key of the model is of another type; the message names it.
    /// </summary>
    Refused = 77,

    /// <summary>
    /// A setting is wrong, or `STREAMING__Redis__Partitions` is not what the model in Redis has; every wrong one is named. Nothing was
    /// started.
    /// </summary>
    Configuration = 78,

    /// <summary>Shutting down took longer than `STREAMING__Pipeline__ShutdownTimeout`, or was cut short by a second signal.</summary>
    Aborted = 130,
}

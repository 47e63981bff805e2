namespace Streaming.Tests.Kafka;

/// <summary>Signals by their numbers on Linux.</summary>
internal enum UnixSignal
{
    /// <summary>Kills a process.</summary>
    Kill = 9,

    /// <summary>Asks it to terminate.</summary>
    Terminate = 15,

    /// <summary>Resumes a frozen process.</summary>
    Continue = 18,

    /// <summary>Freezes it.</summary>
    Stop = 19,
}

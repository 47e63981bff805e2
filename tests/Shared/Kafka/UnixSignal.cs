namespace Streaming.Tests.Kafka;

/// <summary>Signals by their numbers on Linux.</summary>
internal enum UnixSignal
{
    /// <summary>Ends a process at once.</summary>
    Kill = 9,

    /// <summary>Asks it to end.</summary>
    Terminate = 15,

    /// <summary>Lets a stopped process run again.</summary>
    Continue = 18,

    /// <summary>Freezes it.</summary>
    Stop = 19,
}

namespace Streaming.Worker.Logging;

/// <summary>Form of the log.</summary>
public enum LogFormat
{
    /// <summary>Lines for people.</summary>
    Text,

    /// <summary>One JSON object a line, in the compact log event format (CLEF).</summary>
    Json,
}

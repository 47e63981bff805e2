using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Settings;

/// <summary>What is logged of the settings, at start. Ids 1300 to 1309.</summary>
public static partial class SettingsLog
{
    /// <summary>Logs what users must be told though nothing is wrong.</summary>
    public static void Notices(ILoggerFactory loggers, SettingsValues settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ILogger logger = loggers.CreateLogger(nameof(Settings));
        foreach (string notice in settings.Notices)
        {
            Notice(logger, notice);
        }
    }

    [LoggerMessage(1300, LogLevel.Warning, "{Notice}")]
    private static partial void Notice(ILogger logger, string notice);
}

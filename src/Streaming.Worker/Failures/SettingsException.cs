namespace Streaming.Worker.Failures;

/// <summary>Settings are invalid. The message has one line per setting.</summary>
public sealed class SettingsException(IReadOnlyList<string> errors)
    : Exception("Settings:" + Environment.NewLine + string.Join(Environment.NewLine, errors.Select(error => "  " + error)))
{
    /// <summary>Gets one line per invalid setting: the variable, its value, what is allowed.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}

namespace Streaming.Worker.Failures;

/// <summary>Settings are wrong. The message has one line for each.</summary>
public sealed class SettingsException(IReadOnlyList<string> errors)
    : Exception("Settings:" + Environment.NewLine + string.Join(Environment.NewLine, errors.Select(error => "  " + error)))
{
    /// <summary>Gets one line for each wrong setting: the variable, its value, what is allowed.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}

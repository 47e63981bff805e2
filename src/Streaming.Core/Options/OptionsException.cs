namespace Streaming.Core.Options;

/// <summary>Options are wrong. The message has one line for each error.</summary>
/// <param name="errors">Everything that is wrong; at least one.</param>
public sealed class OptionsException(IReadOnlyList<SettingError> errors) : ArgumentException(string.Join(Environment.NewLine, errors))
{
    /// <summary>Gets everything that is wrong.</summary>
    public IReadOnlyList<SettingError> Errors { get; } = errors;
}

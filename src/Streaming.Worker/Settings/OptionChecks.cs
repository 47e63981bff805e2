namespace Streaming.Worker.Settings;

/// <summary>Collects what is wrong with options, so that one exception names everything.</summary>
public sealed class OptionChecks
{
    private readonly List<string> _messages = [];

    /// <summary>Adds an error unless the value is right.</summary>
    public void Check<T>(bool right, string name, T value, string allowed)
    {
        if (!right)
        {
            _messages.Add($"{name} is {SettingValue.Format(value)}; allowed: {allowed}.");
        }
    }

    /// <exception cref="ArgumentException">There was an error.</exception>
    public void Throw()
    {
        if (_messages.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, _messages));
        }
    }
}

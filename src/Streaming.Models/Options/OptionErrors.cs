namespace Streaming.Models.Options;

/// <summary>Collects errors in options, so that one exception reports them all.</summary>
public sealed class OptionErrors
{
    private readonly List<string> _messages = [];

    /// <summary>Adds an error unless the value is valid.</summary>
    public void Check<T>(bool right, string name, T value, string allowed)
    {
        if (!right)
        {
            _messages.Add(FormattableString.Invariant($"{name} is {value}; allowed: {allowed}."));
        }
    }

    /// <summary>Adds the errors that another check throws.</summary>
    public void Collect(Action validate)
    {
        try
        {
            validate();
        }
        catch (ArgumentException exception)
        {
            _messages.Add(exception.Message);
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

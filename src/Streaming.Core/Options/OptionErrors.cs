namespace Streaming.Core.Options;

/// <summary>Collects what is wrong with an options object, so that one exception reports everything.</summary>
public sealed class OptionErrors
{
    private readonly List<SettingError> _errors = [];

    /// <summary>Adds an error unless the condition holds.</summary>
    public void Check<T>(bool holds, string property, T value, string allowed)
    {
        if (!holds)
        {
            Add(property, OptionText.Show(value), allowed);
        }
    }

    /// <summary>Adds an error unless the value lies within the bounds; NaN never does.</summary>
    /// <param name="property">The property.</param>
    /// <param name="value">Its value.</param>
    /// <param name="least">The least value allowed.</param>
    /// <param name="most">The greatest value allowed.</param>
    /// <param name="note">What else is allowed, or a remark.</param>
    public void Range<T>(string property, T value, T least, T most, string note = "")
        where T : IComparable<T> =>
        Check(
            value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0,
            property,
            value,
            $"{OptionText.Format(least)} … {OptionText.Format(most)}{note}"
        );

    /// <summary>Adds an error unless the value is one of the declared names.</summary>
    public void Defined<T>(string property, T value)
        where T : struct, Enum => Check(Enum.IsDefined(value), property, value, string.Join(", ", Enum.GetNames<T>()));

    /// <summary>Adds an error.</summary>
    public void Add(string property, string value, string allowed) => _errors.Add(new SettingError(property, value, allowed));

    /// <summary>Adds what the check of an object finds that is the value of a property.</summary>
    /// <param name="property">The property that holds the object.</param>
    /// <param name="validate">The object's check.</param>
    public void Include(string property, Action validate) =>
        Include(validate, error => error with { Property = $"{property}.{error.Property}" });

    /// <summary>Adds what the check of an object finds that has some of these properties under the same names.</summary>
    /// <param name="validate">The object's check.</param>
    public void Include(Action validate) => Include(validate, static error => error);

    /// <exception cref="OptionsException">There was an error.</exception>
    public void Throw()
    {
        if (_errors.Count > 0)
        {
            throw new OptionsException(_errors);
        }
    }

    private void Include(Action validate, Func<SettingError, SettingError> named)
    {
        ArgumentNullException.ThrowIfNull(validate);
        try
        {
            validate();
        }
        catch (OptionsException exception)
        {
            _errors.AddRange(exception.Errors.Select(named));
        }
    }
}

namespace Streaming.Core.Options;

/// <summary>One wrong setting.</summary>
/// <param name="Property">The property, with those of the objects that hold it: <c>LearningRate.Peak</c>.</param>
/// <param name="Value">The value as it may be shown; never a secret.</param>
/// <param name="Allowed">What is allowed.</param>
public sealed record SettingError(string Property, string Value, string Allowed)
{
    /// <summary>One line: <c>Peak is -1; allowed: above 0, at most 10.</c></summary>
    public override string ToString() => $"{Property} is {Value}; allowed: {Allowed.TrimEnd('.')}.";
}

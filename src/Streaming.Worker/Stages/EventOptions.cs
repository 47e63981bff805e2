using Streaming.Core.Events;
using Streaming.Core.Options;

namespace Streaming.Worker.Stages;

/// <summary>Which events count, and with which weight.</summary>
public sealed record EventOptions
{
    /// <summary>Gets the weight of event types in the loss, such as view=1,purchase=3; 0: enters the history, is not
    /// trained on. Default none: every type has <see cref="DefaultWeight"/>. Each 0 … 1,000.</summary>
    public IReadOnlyDictionary<string, float> Weights { get; init; } = new Dictionary<string, float>(StringComparer.Ordinal);

    /// <summary>Gets the weight of types that <see cref="Weights"/> does not name. Default 1; 0 … 1,000.</summary>
    public float DefaultWeight { get; init; } = 1;

    /// <summary>Gets whether events of types that <see cref="Weights"/> does not name are dead letters. Default false.</summary>
    public bool Strict { get; init; }

    /// <summary>Gets how far ahead of the clock an event's time may be. Default 1m; 0s … 1d.</summary>
    public TimeSpan AllowedFuture { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets the year before which an event's time cannot lie: such events are dead letters (TimeOutOfRange), because
    /// their producer sends another unit than milliseconds. Default 1990; 1970 … 2100.</summary>
    public int EarliestYear { get; init; } = 1990;

    /// <summary>Creates the rules.</summary>
    public EventRules ToRules(TimeProvider time) =>
        new(
            new EventTypes(Weights, Strict, DefaultWeight),
            AllowedFuture,
            time,
            new DateTimeOffset(EarliestYear, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds()
        );

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(
            Weights.Values.All(weight => weight is >= 0 and <= 1000) && !Weights.ContainsKey(string.Empty),
            nameof(Weights),
            Weights,
            "type=weight pairs, each weight 0 … 1000"
        );
        errors.Range(nameof(DefaultWeight), DefaultWeight, 0, 1000);
        errors.Check(!Strict || Weights.Count > 0, nameof(Strict), Strict, "false, or name the known types in Weights");
        errors.Range(nameof(AllowedFuture), AllowedFuture, TimeSpan.Zero, TimeSpan.FromDays(1));
        errors.Range(nameof(EarliestYear), EarliestYear, 1970, 2100);
        errors.Throw();
    }
}

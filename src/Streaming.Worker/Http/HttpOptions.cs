using System.Net;
using Streaming.Core.Options;

namespace Streaming.Worker.Http;

/// <summary>Where health, metrics and lookups are served. There is no authentication: keep it inside.</summary>
public sealed record HttpOptions
{
    /// <summary>Gets the IP address to listen on. Default 127.0.0.1; 0.0.0.0 for all.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Gets the port. Default 8080; 1 … 65535, 0 for any free one, which the log names, −1 for no HTTP at all.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Gets the most items of one request. Default 1,000; 1 … 100,000.</summary>
    public int MaxItems { get; init; } = 1_000;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(IPAddress.TryParse(Address, out _), nameof(Address), Address, "an IP address such as 127.0.0.1 or 0.0.0.0");
        errors.Range(nameof(Port), Port, -1, 65535);
        errors.Range(nameof(MaxItems), MaxItems, 1, 100_000);
        errors.Throw();
    }
}

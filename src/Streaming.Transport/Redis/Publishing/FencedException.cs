namespace Streaming.Transport.Redis.Publishing;

/// <summary>A newer trainer has taken over: this one must stop publishing and step down.</summary>
public sealed class FencedException : Exception
{
    /// <summary>Initializes a new instance of the <see cref="FencedException"/> class.</summary>
    /// <param name="token">The refused token.</param>
    /// <param name="newer">The token of the trainer that took over.</param>
    public FencedException(uint token, uint newer)
        : base($"Fencing token {token} is refused: a trainer with token {newer} has taken over. Step down.")
    {
        Token = token;
        Newer = newer;
    }

    /// <summary>Gets the refused token.</summary>
    public uint Token { get; }

    /// <summary>Gets the token of the trainer that took over.</summary>
    public uint Newer { get; }
}

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Why an item's vector could not be stored.</summary>
public enum VectorFault
{
    /// <summary>A number is NaN or infinite.</summary>
    NotFinite,

    /// <summary>A number is larger in magnitude than the element type can hold.</summary>
    TooLarge,

    /// <summary>The vector does not have the model's dimension.</summary>
    WrongLength,

    /// <summary>A key of the item holds another type of Redis, which is left alone.</summary>
    WrongType,
}

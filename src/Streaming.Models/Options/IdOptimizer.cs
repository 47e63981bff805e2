namespace Streaming.Models.Options;

/// <summary>Optimiser of the id embeddings. Updates only the rows of a step.</summary>
public enum IdOptimizer
{
    /// <summary>Adam that catches up on the steps in which a row had no gradient: 8 bytes per value.</summary>
    LazyAdam,

    /// <summary>Adagrad with one accumulator per row (mean square of its gradient): 4 bytes per row.</summary>
    RowAdagrad,
}

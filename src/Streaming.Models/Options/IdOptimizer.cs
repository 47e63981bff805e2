namespace Streaming.Models.Options;

/// <summary>Optimiser of the id embeddings. Only the rows of a step are worked on.</summary>
public enum IdOptimizer
{
    /// <summary>Adam whose moments make up for the steps in which a row had no gradient: 8 bytes a value.</summary>
    LazyAdam,

    /// <summary>Adagrad with one accumulator a row (mean square of its gradient): 4 bytes a row.</summary>
    RowAdagrad,
}

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>What is the same in all shares of a step.</summary>
/// <param name="Step">Number of the step.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="BankEntries">Bank entries among the candidates.</param>
/// <param name="DrawnFrom">Items from which the extra negatives were drawn.</param>
/// <param name="Enqueues">1 when the positives enter the bank, else 0.</param>
internal readonly record struct ShareSettings(long Step, float LearningRate, int BankEntries, int DrawnFrom, int Enqueues);

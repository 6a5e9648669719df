using Mesh.Core.Names;

namespace Mesh.ApiServer;

/// <summary>The API's source of chance, for many requests at once.</summary>
/// <param name="random">Safe for many threads.</param>
internal sealed class Chance(Random random)
{
    // Without vowels and look-alikes, as Kubernetes generates names (apimachinery pkg/util/rand).
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    public string NewUid() => Uid.New(random);

    public string Suffix(int length) => string.Create(length, random, static (text, from) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = Alphabet[from.Next(Alphabet.Length)];
        }
    });

    public int Between(int from, int to) => random.Next(from, to);
}

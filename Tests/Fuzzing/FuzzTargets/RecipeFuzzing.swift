import Foundation
import Training

extension FuzzTarget {
    /// Recipes: an accepted recipe describes networks that can be built, and can be written and read again.
    static func runRecipe(_ bytes: [UInt8]) {
        guard let recipe = try? Recipe.parse(Data(bytes)) else { return }
        let again = must("a written recipe can be read again") { try Recipe.parse(json(recipe)) }
        require(again == recipe, "a recipe is the same when read again")
        _ = (recipe.unet, recipe.schedule, recipe.encoderNetwork)
    }
}

/** Texts of what is shared: pipelines as files, models with their cards. In French. */
import type { enShare } from "./enShare";

export const frShare: typeof enShare = {
  share: {
    drop: "Déposez ici le fichier du pipeline",
    tooLarge: "{{file}} a {{size}}, mais un fichier de pipeline a au plus {{most}}.",
    maker: "Ouvrir le pipeline qui l’a fait",
    makerName: "{{name}}, jusqu’à {{node}}",
  },
  model: {
    tab: "Modèle",
    save: "Enregistrer le modèle ({{size}})",
    measured: "Mesuré",
    accuracy:
      "{{value}} des {{count}} images sont bien classées ; intervalle à 95 % : de {{low}} à {{high}}",
    evaluatedBy: "évalué par {{node}}",
    notEvaluated: "Aucun nœud de cette exécution ne l’évalue sur des images qu’il n’a pas vues.",
    validation:
      "Sur le jeu de validation. Il a servi à choisir l’époque : ces chiffres sont un peu trop beaux :",
    trainedOn: "Entraîné sur",
    class: "Classe",
    all: "Total",
    training: "Entraînement",
    validationSet: "Jeu de validation",
    moreClasses: "et {{count}} autres classes, dans model.json",
    start: "Départ des poids",
    random: "au hasard",
    published: "publiés : {{name}}",
    file: "un fichier : {{name}}",
    model: "un modèle antérieur : {{name}}",
    input: "Entrée",
    inputSize: "{{size}} × {{size}} pixels, en couleurs",
    steps: "Avant cela",
    normalisation: "Mise à l’échelle",
    meanStd: "moins {{mean}}, divisé par {{std}}",
    digest: "Empreinte",
    versions: "Fait avec",
    use: "Utilisation",
    useHelp: "Décompressez le zip. Puis en Python :",
    useShell: "ou en ligne de commande :",
    toWrite: "À écrire par qui partage le modèle",
    intended: "Usage prévu",
    notMeant: "Pas prévu pour",
    licence: "Licence d’utilisation",
    pictures: "Source et licence des images",
    notWritten: "vide : à remplir dans README.md du zip",
  },
};

"use strict";

// Each image is an item with a card of its own. A run of an item has a number; an answer is shown only if its run is
// still the item's last, so an answer never appears under another image, model or rendering.

const RUNNING_AT_ONCE = 3;
const SLOW_AFTER_SECONDS = 5;
// How much longer than the server's own limit the page waits: the image and the answer take time on the way.
const TRANSFER_SECONDS = 60;
const BUSY_RETRIES = 2;
// Dissolved copies are kept as bitmaps: bounds on their memory.
const STRIP_PIXELS = 16e6;
const SIDE_OF_COPIES = 1024;
const STEPS = [25, 50, 100, 150, 200, 300, 400, 500, 600, 800];
const NOTICE = "Research use only, not for diagnosis.";
const VERDICTS = {normal: "normal", anomalous: "anomalous", atypical_input: "atypical input", none: "no verdict"};

// Synthetic phantoms of 128 x 128 pixels, made by `dia-train synthesize`.
const PHANTOMS = {
  "phantom-lesion.png":
    "iVBORw0KGgoAAAANSUhEUgAAAIAAAACACAAAAADmVT4XAAAgAElEQVR4nD276ZLjuJKtu3wCSEoRUcPu7vP+73bNzrHuqsqMkEQC8OH+iNwtk0yS"
    + "CQLhAxwAbX0AkQBAAxTUBQAMBgHARABEAZB2MCnABMZ3I4Agoh1AgxpYCM0IzAAg+G4ANAD06wWwEAEKJbAAUIJBQNiYWQA2KFQIhv99MIgBCDMR"
    + "IDAhU6V//ygEYgJACoYaAAaYlQkCsl/NQPT9/u//AQwCCKr/Nop/jRIQAkGECAwxNIBUIN8Xgsr/tvnVlTD41zAYAkANBiYGwAT5NSawEgQAEYSg"
    + "gIBAgQLA7MxEJUXgBEgqWbKAQHAZioNJqbhFihJDodygJd2rIYWSAKYqABUoFKhgHEoJLqGEOACWpAKnBDMI4A6AYN+20Hf8yBgQyHd6CANEBoIJ"
    + "BJ1JGlgYu1pXEcBEwICCOzqTQQARQKDfzmUQ9N8XaL98Z99dM6AQYQjAAiX5jsl3epIxiKAEgMQ6TLk15iY7lJk76aY7SAxg2HeiSvsOJol8J5BS"
    + "/5WYIAXASgCDhamosE3KoipicBZDgksTBUvN1IRmMogFoFSpqlIx76p0CGeLwj64WgplCxQquCBFlKBiWCa5ICEFcECzkguFEkEBOoUTBQiy0DKT"
    + "EwkiISQ4jJ1JA0JOSuKEQ43rRmRCZCLdGxRAS8hkACzRggtcAArJJRyw1AQKEgAKUKFfWU8lAU6gRXLA1naBuKpARcVEDihlbJm1g71ztjQXpqoF"
    + "dVeKK/qaYArO4CwwkiQKnFQMKiQYiRbBXCE6ACojkDiV8AIAyaICFaiI8ntqRgqFVEofpGAWJuxOfEshaVMwZfjaT3JferYpz0SbnFr53YUB5QAn"
    + "8G060Dw5lSO+5xoAAqVktcmliykASLQJbhWBgjByXwIDbwxThQnxW5l+CbkOX14r64kZJe4SXmFeBMrNswoS6t9jAJU6AK0A0AnqLAsAWrotKrBO"
    + "Ttj6rleFQl+2mlZLqzfLTXZg33IX3otkZJ6I8nPRF4/4bNMr0tP3WVXfVS0AMDjTFvBtH0AF9UYAlSJlcRXaBL6dRaBsNCTNpczR57H+NXg/BEfr"
    + "W1cVY+nCOlfNkT4Dz1Wvp/saT8ZFqU8JLV6MBKBZJOs726SqpGSpM/+7oCcnJxUgwSlZ+P4EpqLaRHOTzju97Wx7rxtL13ZrzBozV11r1MJ81cNn"
    + "Pl6+HhQz4ngtm6QLnMz+bZrKsEhwcqpTgSTUJfqs77mAAAQBCSqQeJssVvt673V/6731G73RzdvutgkdTJS5wseVuOqVy8fXNeZnXg94UD2RIBTQ"
    + "0gEqAG1xwBYskFAnrgJTgIsDbX6HSsK81C0ZPH4P2ezg/c/8aL8R77pbNfZ7bjsramynr5WZM3LOEfOn/Bz/+HyNh9tycsgCoQ1L8u/UskVFRSWV"
    + "IMnqA+rfWdEiqDghQZSAknTf897s/a339/YmrUtL4xbg9iYsyTXJ10tHOSKnT/lcr4f/uM6vMf3zVtNdnSiFHAD6oG9n/3oqB1LCqTgLiGQWNw9U"
    + "sS2Kfb7X7XY7+vtvpm9K7bDULJLNlIgb2EHRgiIlGFp4/dfncZv2mnJeE3gilKmgzhJtYjK+iyNVm2TQZCxQgSS/q54nwCHitjqH2dGP7ff9901u"
    + "vXa2hs17qHKgNejqaYOgecSwYYtye9ymTTlOeYy/nSi4eJICyRRoFYnmxQks5GxSBYBLMi3BqEIRSrPYNLabHP3tXx/72+323vRNW6uNmQNUYiwa"
    + "doFBM3gSqTSC5NbJuIkptHUuJC3zLKmS0PLSDCtKQOp7xQagRaoUoOQClKpINWW3dv/t+Pjj/vv9zXQ30Q5mEFp2OYBqtoc4LChEi23JiGICsinz"
    + "tgcrlWeWlDojkVSUQFQB0ARCQACqitJBVCWFBFHI1Lu19rb/6z+Pj77bbqxCSS3IKi1alWxlkp3jCXBBPftgy0Jpa7PT1nBkpkrpACMZAJEkIMVU"
    + "QqnfWw4p0Swu0ioUiVKQ1W799tv99//6/e03u7fGLsoWYCqlUlJhEmWp81JxmsSBZJYhPCVQGsHRiVsVCUsVSpMpUVBJzkIVh6Z8L8zRk6qtApfA"
    + "TVp1aR+3j/fb7x9H587clOFBfWycyUQRrGmEEq6hJyg5dFRVlgxdrugwKQlhcqQGkDCXFKaoIgCSSBFiLgBJieCCJEGWVm+3+/ZH/73/aRtasX6V"
    + "kjqnclJjSLTS3rOICqOElmZQ6qrSJxatkJOZiRtXc6uipZIOoMT/d7fXogRIkQQKAARpUabVdr3px5/vH33bExk89uI1qaBulCFMPVVDiLwccq5o"
    + "5YhaSp/OEcCpw92ySlmXO1IWCpCS5gQQuEBpogSqAgSQLKEQqi2Pdt/+/I926D0z5MFPdb+YGxGaJlgEnm0T6sXqeZYMuqw46IlcSY8oGqHwoVoa"
    + "RRQoCKjqGJRMRX0REiXI5gWyKE7mspTYs+/44+O3+/7WZtEaXnAQnFZP8fxeJKsjk1z8hSQpKlnJ4RjLr1H5+lpz5QohrW1SMHnqQGGJcxZ4gTQB"
    + "kQzhQgJcVSjVhv1ob7+//dG3rFzDZ4zMmpjBk+twps1pbaVs0ZEkZ0ZIINuKGrOGZ54vni8flbzQaTeWUB9klIAkAVTM/OsLo6SI0pItianv+8fH"
    + "+/F20PF8+jXHiqcHhUgqRzCSKjoTcWeKbO4MCoBnnOFj1td6jTFqPvHkxRBoVi327zpPpAkhSnHlFCrKIhRIq/qk0rq17eOPtz82jek106+13H3O"
    + "BaroXsTFVoOtZTVQXWhXLfEzM2Pm+ZrzOdbrU3wCkkKWGwrTg7NIoxLbqhIJdhYu5ZQCF5KymtIb/X78x2/HnxK2ctF5VfjkGFKOEYa0aknmm/JO"
    + "JRmLJ8gH8fTzmq8Vr+vLrylf0EC2JtrcgBJ6pXBkM/fv02PChAqJAnNKoqz0sNvtP27H3hkrX7EiV+BahJk0qIfu1aQVtn1plmynp3rNJGef41pf"
    + "1/N6ul/tJQJmbFxyX6YuPmlhUGIBsAQX2KW7piYoQIUmdLf947f39//QnH6hKjIpqk0KVDBfViyE4j5L6w7OqQ0rOCrGisf1dz2uOecqofAbo5VK"
    + "YhcO8nQZmvm9VS5JzWJxJFJQPYQVUGv7x3/efwfXmlzhnGThzpnA9FSPYlaVLXoJEbvw82pXWs0Yn+OxHtfpE4tFuwht3cIMrEXFeWbRyVQQLc1C"
    + "UQnABZQugJ2197e3+227aUVERoC7eaA4bQ3hmaJQlhYuZbRFYwqSiFzXua7X63qdFzxYdPPWa0eSJJxYQgcy5tIlJjYZnNWqBMIoIKGcQk37+/v/"
    + "+Xhv43rmg9JFl0vTZsSulCB3SLWsvpGxamhcoMuvoOszfozHA2MqxU66KVu2hItLcMo2ZBE8QwOrwFmIgqCqFAUkkerR336//7l1iTGfMrwwS3M1"
    + "WgQxOrOcrAHWOb0LUc8Mi5kSzzH+eX7NXMGUBxo3y0aD5ayRw3JjlotGLvbK5MqCoiCs0TOJuSpL9fjz9sdvdxmveY3XdVUYqEkqlMhmSinV0E1F"
    + "RUglquD6Rcgx59c/eb5GO3ftbe8HkUypnHXSWhDeMfaxxjWRqZQgygKkqnkCSDHRo7399seHbOn4whyCZR66SnC40rqv6J5KxNaUZe9CiuKfm6+r"
    + "Hp9/v3zRyDub7qIVFJzn9MEvIGUP2zMnghd7FYRBBQgopGBBFWb88f7b/tttX+O6Xs+1HkZX0cmKJVZVZCyypLibivVghuYwx4wf4++vep68K2/W"
    + "o2dRmbtHPdOTZWvdZsvxXOEzQUlRBZCAkKAQLm3t/vZx+9fv6jzX44kqxUuvKK7akpPFqDhlbS12Zist5mBJvJaf12NetCl2EgP6tU1/rnGFV7Zk"
    + "k6aNxaev06mYkC2AzQVgNCMvk0b9z/e3PzvpnK9cI4M8FM4lMdrsmrwNZWtV2rW1m2TvTCsm+dOf/wwvgE3EUquuzNNnBixTuKG9xRYpazitDCSq"
    + "WJkUnIgISbKt39neTeEEsh6LssJpCU7LU50Ouva2Eq1MGOHVqjI5nvry8VliYUuJ1W2g6FlRlNGIWrZto3lkyzxu+dCreUVSrUVCCkqqIliT//r4"
    + "18fRqtbwMYwF2dbCVVmxlY0qtUIKWHIT2tTEiU5CvK7XZzix7MVclP5YX/QEFoGQjY7SLth15TzXAF0pSSgpCLKKSqrB2u9v7+83bX6OlUWeaBFJ"
    + "rrlaXrLC9bRSzibUmt0IqhyZOs6ZXx7ZBMGIqDPAqxYRVyMcO93BrXURxZUPkovk4gIlqXzfQiaFbm/H2/sfRw+kZ+TskNWkGKEFn1VCRURTqPSQ"
    + "fbvpPbfZVyY9+S9es7lQYUy6rpGvmckQhuwku0oXbI1DPHL+s6ZmcX3fkQCIS1gO3t/eP951KzzHOmsTjqOYjQBadaOVAPHaFomx7W9m9Z6cza/A"
    + "63zNoIwXRdIryFcA3XH7KO3tSFKnasWCgTHPTK8KAToJaRWoQg657f/nj91ijfM6ichdZDEFmvPuMQnBmdsFElgj27W4RxLk4dfpMfiKxBoycmZo"
    + "IO23MrFNmtRCZbDsJT7GOLFoMSXItRxgDbf1Zh8kUsyvxxjlXUSEFlOODWdfrg5d24X7PnaE5dm2/twk89TlHKe8UBFRXxNliA62aALmGFg0b1fL"
    + "vISk2e3lRAQLOAREsMhG+/H++7/udB/X+meN7GsyF/VqDPSy2OOSpxSjMPZsJk2LN0oeuM7n54nXwitOX9dipKK/GR1GRCaUwWuUtoNvtXKcr7iQ"
    + "nJwgtUpybejdukRt0BFYdV6GvLbVkGnN3zOXaLY6G2zwU7bHjW1LKRrinKR8ur/4nBqNAK27LmtbBevy8sWB9pT25+J99P42MzIBotSFlk7eXd50"
    + "O95sTvuMa/KKyuPkZCagn3Hzy/ViWu2rmdCLckXpsLRpSJznus65AokhR5WpNs4qphE1ThtUFlmvd1ti+991rLnIKcHQ6eJW3fp737neJTPExxrn"
    + "vNzPVSKBo7k04taCHjzGY1VclJnYCnPFPP0ca0GVEMcufT9ucpO9ZL4oT/izRgS5dx8wjZsZQRTZoAioW4nmIitgaMZa4lQaX6YtJGHe7r7wxyne"
    + "OULyRVnz6r+pPIPIl7x+Pl8Xv5SIDkX21mon5fpiefqskCE1+abo21+0v19NiPqz+RRFwcnFWrPejSjc9yMiQJVAYUgTFYQbrreLHTdcGlk4X3/k"
    + "orLVXnWVRdhnY0rdkHdVkCxZvj+vqhfndVNs1K+qa7+0CamoyyQKBXGoKNL3Jptq8B6N9Th1+f6lt9hG7X00VnCYYtTYhl19nTgRaCVT1nh9UUUX"
    + "8FFKm4QAQrTw/ELOPrWpCO3ClNZ9ctf+IjeaADNjD4jgTzUqoskz1m6y6UbT4hWXx/gq5xnWzJrpXdX49aIVXxSukWsNCY9g6Ts2ETq3yU12bFiH"
    + "JIrFoP1Oc0vJV26dP1hTAwA0bU2y2g9hViLfHprtxb3NalPaxJJAmxrqLS1Hc/geXFjhQj2Wvc7Ukcv2+YZqWhA9xbKVJXg+lVOTzCSbUnrjHMaD"
    + "OFGTQcqLiLxdWyr3XdfpIaLsPJXs1ImaibDRk6ZVfKzBerEQgjV8Ccb2djnA4B51cyI7hdbrTZU+kbWdZmTS2LZc8wAY+9h7qZzFCWi2SZHC0pgx"
    + "VS/Gghavt1HDqhGSZ08v2sKbLQJEq0zkAhmKNZ5Oy1rnlCjTOWJ2P8au1Y8rGcY7vIlgNURIHZNE21N16QTUFryrYMJUWno+hidRtThiv4ZMkYgX"
    + "t+BhPLQ9OxGjIIq51j2ShhZtKRkOQQ4aaC9a2yVUaK4dVdpJKYVi2kMrSLq66HTi0kXoKEhjLYGjZ1E4iIqENhp7BClyLeI2+wLnce2rqOeuqKuN"
    + "AoyR7eptpCL8yfMpHAuVI439CDWPahO50u8WUwXSR/ZLnJVJJhNLN393rnXm40G1DFsUE3T28Ki1uo7l5314/2lIhXSgiEoH8aiOLynLGOni4lRj"
    + "3s3VafM7NCoZq/y1+GNxlKy4QhcaXJWdyW9SbPs6lgV7lbuWnEYMqzahL46WI522WQUPsnlwESyd2hQyJDSvhcwZY52sQzT+ejstcLCrDPgE+PM/"
    + "EZuULDGhOC4MlCYqmjfOaUBaJmGtwMn3yRAhPmbul/AlQTkk9MHbqu50L6hmeX/m0u2VYWfEl0SJRzbkZcHBloGx2oOnRLZxXxUqXEHt0z0A10Sa"
    + "lyVzInsQ+VnxHGJnC5176kzm+1VNsCJ2DyZwU9wCnf13rkXZkEz5eunYfmC/fFO4NV68VYnPXMmXV+NZQRTqt4/n/iUenGAmZJoVRauDuEqz47Kv"
    + "Oa5xeXslqMuuN7NF1rYKkM9YI3K2NfRapMEVXmdcftantq+2NTre+rmxrsSodOSlnvFoiwiaFqeDWLoopcKiKjbKQdfvyeyasV1KKxJu3KaeB7az"
    + "sa6Ca/DS+uxcn8f1m0Coop2C8fO6LtYry99cRKrTdu10mfOVc9Ea5fPGQumaXFWUuSYK0Mo+kCF7wJiFSvaX137RJKo6XrW1FEdXXNROWzIxaT0t"
    + "N3cv7yudLgeniw8x12rHuEMq39bCCq85A17USeuNRKUGOiWhuXOAwaPTJrVaxRlcm7DsvLZdOJCPVc8aM3xU7SQ7tVRRqcExMTkp+aoJWuO1fNIq"
    + "vcmd7xSK7etV5bmuOGsyOChMbgYnY19cCVIGlBavVjWjCoq1uNF9xKxgRzjS5CmUePczGtHXMTkzrc53uvI6JOnjL4k5J9MyqftsPe7eJYKCvnSt"
    + "CdKcDS23fnSYSZ5n6Mj+4OUwJa682l7lVaXVnW4zW01pNIciL8s9pH+2njKoOeew1VzGBVJT1ylZ/rIFYdvQYaY0keVV9KxaCuCDuJMcPa0gdb9Q"
    + "ypNnqpeqJze6jkaZEyjiSckthYMssXjyS7lkMbW+lBGcx2RFX1Jr7bWSPG9/2WRSFSNwRWlMvhByFleqcDdeGlVjr6FP53oRebbJrhPg670qIuYf"
    + "s2y69VoTs82GxViuKZ6ge5/DNJh4ETUBtaC8GpDMSXbuuXHtFdvyEn/JF8vPW5J33L05qWhDI4o+acklF2ArSZQ4XZZh5aClKM5JqcxttrEAck46"
    + "rUqX7+Kqha7UXl17MeQerMzaQT3VyqpyiNPMcJrBV+2KnrpDClu8BTM7XXlOCNLdVmgVq0XLXIgiLmzPGVWWMoUE3mtFEmqlLVFfu5am9rjRph3n"
    + "PU+4tXv+UJZMW+IPiojFk0khLDAyizgup0j34DL2/sNXqgeBOeFzzjEpxpWErXSwFpZI5y6sUs7TfY6LgqZWlGq8fTS9dbTGsYsZU2v33oouvpAx"
    + "5zBHRXVVft8O4b4Ho17CjcVpnoNm7kNSVWGLY4PQRRKOiismVh+NSjqoh1c/UdQnnkiJbJzQa9euJBYhqRGyj63yRYuuXOEr6FlaJp0Mvq3N2xp9"
    + "Zl9Y45Y5Y45tLAMv0wQzr4rEc9zGjR8Ie6xzG52FMyXQ1t1DAs5wr54yDlDoW9vCmS/J+5DjVS/SlXiFLNcluAduodLWDRV0wUOkyGhb+XKDP3M6"
    + "EZVy2hIuH+4r+dqpYZF72mKn6uvwSVnMlw61lDG70+Sda1IJagnzoz5+UnKMrDnzBUuWXtSzqxEyqaYHewtziMBnPIJkwWhCNC0QhJCrMj0mGtVy"
    + "cg4csiZH7v1yRCfNRYFI7bNN/lAznZuW0/0ZY8l8rvJJXt8KKebNiAkavGaaz6Q9LTl318FjVJvlwGBNg5XUtfI6ryQa1CT8fMw8Mwu0BfVGekCk"
    + "FyA5X2uc7QmuaqJZdvUEXyH4Wg5JKWHq29Z6CTxpesbXqpXnwZLtNb7inBQXphFMowJRq0ufPsGJt3nS8bQ1xR9oU3oRH4MvnZORiNm4Wo9GMe+l"
    + "Z8Mp6FQL59WckLTF3qfto3IfFis8V9G1Bdn8Y2uuXu51ze3CkFpcLDCKRz0fYyLQlJtim1Evf85VfnFJNTQ9mpqpHKgVMWVJa3I14qO2KcA/06dA"
    + "5UaHzLZRV0m6nusrnuOccr27bsarrkfEGOCxkSDBbExJcrwin74Cs/p+sHcrfmZd/uLHuaYri9z0Jkc7IJYg90kphqqnXj1KbikoSeF7461lkxrT"
    + "Xz70RYtXvuHjvTMJOV7PSSX+VUFGWrNkgapda55P3fop1e9YvEKWc9KPhty9SPjaomijTUpXiHVcanqlTZbOXv15Q5q0lK5FE5NnTL6c0JdxmGy2"
    + "U43IlWuOYVOqShkFAjxNr5jPKJf+0fWgOgRFmXwG4ZnllO/97VZWt2T07CrSdllSAEaYABvbsWu3G5df66LzQgyMrsO0HdvRb9Thfp1f+ZoSoIhY"
    + "IppUPftsm+3NVIVoSnzLPpDw5MspQjiCAwcqN+n9tr/d7gQNBM+ZNYaLWR28VQsuOL0uXOPlQsZHdtHtbXvrC+vx9ffn+VxVSCKw1lLHwOR16eMe"
    + "KzNf4LaB6rkRYuhT2yShaGOHiB2fBqkNKr4JszipQbW3ZXlwX96uSvJZEzT6YvN7bN20M1GCxhovjyOeLUAlJVRJwD63YNKbHRKkOcHs3ESSshhz"
    + "afGjmrOEhMrGt/fj3m/SqhPI18oVectGtITdIlec6ggu30jQ9r1ZV22a8/zx+Xr986WpSwBmoQKIStOIdNNNrCGvCqQIU2ooIas8hQLJ0aGEbu3t"
    + "dnAT9sq6iGaGp4g3yldc+RlXrZByvbNs3bLZsfaN7Mp/Hv/z+eKYPFiyUqQAIuWZ1Ndh2vWWvmiEXWApCwmCKMuqkrMVogy9y+/v7dZadnEhIsxZ"
    + "HsWCGTU9ZtAClK11v1fXI0HN+ibrOj+/ntfndEQlF1KkoOQaxGVpN9qahH7qK7ZSppK0Ip1ZWpQVy8qC6u2922GGtuc+kVcM8kR9kV+vedHiKIA7"
    + "jNVsK+MQ113pyr+/fv58PGn2SChKUwpIqmIW4k58YxKq68pYqID1FBJQr8C0yYHM6Nu+tf3eZSOhqyoXllyUE6/0k9nrRYCwtZ3bW3ZjarVJ20Dx"
    + "+Pz5eeVYgwsUQAmIC+CwRIRtvOmtuVTUkkslplh1Fgpqy9slWczam+1bNl6SXVbYAo+a6/WsB40zNMxi642P3Psy5LCncjMrej4+fzzHCGIhCoBL"
    + "uitTlaZTajG3vqKX55yTiwhqAJl4D7UCuHgzar1vnUjECKAsD73iOfNJ55lWROJ9k4PQvo+e56FxmOXz+c/jx3lGUpYXLKmEycEpBEqLJqy6bZn0"
    + "mKBLh2WLrkV5j4YlLiCUHrc3VW1mdluccB92rfJ4yKugKdH42FVrY65wr+jRW9fI658fP55XzCAnAAnepRKFoihIsYJ4k03E8/KcqZ61ZjYmtBdt"
    + "xCRs/d6Ovu+qtQepgAM6I8Yz5uRlsYsepk0194GgyIXYuBn7PP/f/HnOscglwFCKJa2goZSEJEUJ8Q2dCcSDLqrJvEEDPRjUWFl22W43s6ZzJ6so"
    + "r4oVGeUZsRb32rd8R97MzvK4qJJ741sre/z1+st/nlLFTpBMTREKTvWUZCSTN2vUtAT1MqcVnOXFJBVtEzTDxr9tb3rfmXcQi1GJcw6CF+IiFb4V"
    + "7VTEwyWKHDy1tw+TvL4ef78+yXOSBFCwZS5JpUlIKkJwLyfxOtKyJi32RBEVSm9FIo03ut26vttOdkRnxmw5EpIOjmS2uvFRxtkQOZ+xnEIOOaLF"
    + "6/n5+Of15RGh37LtApUQkL9kncZBaJZyi0awlrXQ5qBtQPgU1mTtN31rb3y0hLCYEKPgvggrELKMSAtFMp52RXpUCW9v+56xfl7/80o8Myta8rd2"
    + "AAIoYEkoIEVCVjbatxJ1kiTPRsPCASVugrb1/c16F7WOYBcwzqIVBUmtHptWai1fePEKhVnb37SFjx9f//d5fa0AUl0DhIJAQIlKSWEJocqChQV6"
    + "bNCEpeLUWFmNhNhue+vb3psyg8U0ey0PcSF4ElLEmXlUBEYFFalst22/pc7x+OfxOa8YraSS6huHMdECpCyqsoFCwAvUi7NpFbGzMDE3kKMRbdS2"
    + "vYkw2VQj67IsqZwWsQqFVlvhNMtP4UWxdem3blr+4/Hjxz8vWlGeqVkgRkmlJKCB5AIikWwSQDQ5AtY6ETFLtiVhbW6HHB+5C3pnMwsVoCwGKIpP"
    + "oDQlaOCUQWyz5fbub+/ULePn14/H11UvTAJxUAtLFFvKt6gJSZBCIWUxrVZZTRmSeusc2o1VpAndO7VDjIJSQ2i8+TZFLuL0JGMQZrATISu63Hc+"
    + "blszWV+vv1/Pn/qURYnuXMFMQAbEEkwcmqAWoD4pjahKHdZXFyXaARO6q7XfVO2Oih3FQtT3FE9KqlhM3aNWbsupUr1t29Zs23Yyml+fP5//fa5z"
    + "0uRWLinE36oBSAKgQBGIqFAiXFVUaQ1hGlbdD+omB7ab0XYjbo1FpnnXRRyIxKl2Ja++tFKK6ea77tytvQvS14+/Pv9+vq5RVbY4iBO2KAsFFoJk"
    + "kSYIlS36LFkusuYSaksP2dly2/WQ9/7WD3ST5MrqIcJdhDUnstxlHoMlOo2uuPs7bdZNWR2fr8dfr8c1F11wQRLql4abQAINTaQlGjLbAK+DX0Wy"
    + "2qptiVUr+z3usjFImyggZKrVzJxUcKrPmpKoQZwU/jbL4hBj3iT4ytePz8c/Hs+aGUgEoKCgbx1vCRLgFgkEigMoTDpGlYaXa2mrvaBGXe/aqoup"
    + "2+JokVR7w1LyQAaUVyuX5Nj2ja1VOzxjxo/nj79/XI9zLZ1osTk4SyW5wAwTLlQFl1QvTnDBqC5SBCLqOJWsjmXc1bTVTYRYmAuBXVQqhEpyFREv"
    + "ChZi0slg1qVRa/68vv7n9foaeUlUocoBFASZllW2pIhaEL5FsWQBCsq+mE8usZOLro1ZeatWIhDwJcgQJfUNRuCVC9lWsmshABDRtCB60vycf//P"
    + "z7K8OeUAAAOaSURBVK/xNWdMrkQBmlzIBBJcSQICmoO/lb7fsi7EhiTxpGfR5JrYpMh3UhhRAu1s2IgJOHwCjnKfLAuClonujHVd/vnX8+vH1/m4"
    + "MJfwKqMC6jv46CEJQCSJKAmFX2SaOGCxynJERlXmqoIMWH3LQGFZjWMDlVCAKGPVZRxMFHn1iFGj/Hx9jdff/zOeZ7wWVQaxFwHQFKZCVVkCorkt"
    + "UBIXUExGqUkB5qRvHuNVAYJzlZIGi2fZKpZioWyZhJV52eSqHObqE3nh8fX6MT7/+/z5eMwLl5JnCZUmQEguJhRjXyqgRVmSQgVOSNT3iSEI4YEK"
    + "RFR4TMUslwiLLAobaCUa9+CYKDiywvccPIav5/j59fj666+v9d/nRERGFrf1fQ6VBDHIomoZi7kmgUqdLMAcrSqBVMqAll+YNa8zsqJoEJCjl4Rv"
    + "WRGyn1CfvBA5u8sX4vSRP/85z+fn/zeer79q8pUZlQVkcUEzgWJkwhIpEgAVWRQoRCoQxaVsEUqoRZQImiPymr6G1wVMXA3TkDu7xKvoWS8evK5T"
    + "x/n0n18/1+f//fH/1t/+9EvG0uIEGAVBJQBoMGkml7jgm6vl5ARHgcsok736RFpReOX08sHr4pMmyC+qa5GnYaacddaY61k/a43n9ZiPr78//b8f"
    + "r/p7XsOXN55URZwEkqrGCXVUUQsuLgLASVyc2eHf3EeC2alAWsQwVO+N+/FOW98+0HoT1T5vqvvqmemxlj7kWU+6wj+frzXG9Vw5c6Lcgp2/4SHi"
    + "UBmABBUXB75Jx1+iUjDSvCRakIOpUsIWaVUP6irU98N2uXV7g+3K/luDbhf65TgjXjNmzHW9ar6eI2aulTlbSMQ3PfAL60MCLFmyfgFf3xweAKkE"
    + "qNEKIg6SxQkwp7msTTi2DfXGt3rXw21jvVMXBu01J52DXst9rVdc88o8Y2K5XRIAjtc3RkjfRDTVN1fISGgZAQBxcP5CXzltmVOyLI1iCmJxRbJt"
    + "4E1q40MbdcOB3fdlVlfNNaleV/tcfiLWpRd5pDO+UU6AbQDEAc5v7BNChKgCERXL+oV5/vJEUVqGxTclC5WBNi06pA4/sgHva8O+DhK6eV3kHnTN"
    + "cJxYPCZXrm+VWlVAsqAOEIplQQJgdisHUVKRBCy+/S0EV/9FxWp8U5cgShDV7bEHweS82boVEXdJ7iTl6aUnouqkQYtocPGELiSkhf9v+PFvihPM"
    + "lUWWjhb/P1hd6ibEQJ4YAAAAAElFTkSuQmCC",
  "phantom-normal.png":
    "iVBORw0KGgoAAAANSUhEUgAAAIAAAACACAAAAADmVT4XAAAgAElEQVR4nEXb25LjOLI22M9PAEkpMjKrembP+7/dWPeuyoiQRALww1xE9fy6kkia"
    + "5IQTTojmS2AJKy4QAC4ADACagKamJTQJKgnlBAgAWJWATUHoISRdNNADXJoAvo9i1gIAqAZLtgAAUlARpKTAUpYQpCC0CoCoBAANKbJoCJQ6I5kk"
    + "AxzUwAAJGJV3R6rsq9FGtTi6izHFRgkCAbAIEBiUVZUILgEkiyQpJYHKtrQE0AARiJqjOYAEWB2ZLZAgcFaWQMUpyVJEgLTgxkSqXFpMebgwSUYK"
    + "ZVPfwagCLLgI368eQHHZsoBWtUCAlMCoNvi/Q8eVABG+P2MblLAlvABuFzNasjiowNiSaVqxnMYvtEitM1UczmAPqIM4ILwAou9v5IQ5iCptcaor"
    + "AVCn72xJFsDQqATYIquIzEsXlxQnejJ0qUpWdoF5E4oF4swMTxn7g8P15LQszhRU9pX4Tq3bAiMFyAIn1TYKBKrvwKDsBfo+WhHfmxVULlTJaIt4"
    + "Kw0WA3eFlODmzPAVhfDMWXDEDECWUzLYAWZaxAEQBwDYIqBAxSUOInUAbRVT9FlECc3kFJADfVnwNE6ECSP35F6HUvROwrJbbH57LvYrc9CLr2Cf"
    + "UYNXW1MDi5NtcKGgDlBxEgfASIAglEWQIBQAFi9Q4f/fIJUCktEH6M61DjFi3YuOutU9DtmwgSkJOMcaMtZauYZnrFi1EF5JSZqLiopsoQB1Ief8"
    + "zrktgKgsAyBKCUCy/rkeAYCJSoK4E1bXPfa+MfY33GQeRl1+sJImx5hjeaxY+bgSF66xvhBeHrGNYAgPoE0QiLIA9e8xgMgkToBTnUorJFEAbKkD"
    + "2C5m87RSa3oI91vu1u/jtjXmI2zb811X0iUvHyfqpfFJ4+FXPeNaMWYFfOosds0kSov/nhwnJ4QLRG1RgikAkhAXqrD1PW0d5oo+3mGb7q33vR9H"
    + "ypa9c8/eTLYmpLXivIb72cZIe/hzXnxezzEvjBkewU4E5/z+WWzDpgSLFwCmzZ1KApzfuwFQUUmQFDpFbXo0OY7e9qY/N/BN+rlz7lq31jahJQ+a"
    + "n7hkcE77oCvj9ajxWOPp5/Ugr6qxY7mELQnhBc7v9BcAggS4OL7nYh+gYlnCC5bZDbvy/dB3/qnHLnfW2Ay0B7PxXWpvDFrP02d/hEy+Ehnr9Pwa"
    + "ny88nvw7nr4Io4qoCpDK/yYBQg4IIIUq0mRLqQIxiAO1Fx+d3o/959vbz+3X7V/3+9a194MbGXHzjXk/bmCOLGEXbyaNWRWb6m6HmVKv2rLFGyQL"
    + "pZxgLmwOTjRPAAoOlGQ5aHxXqAI7M7LZ6rbZvd/vx2btoHtsysWCfaly02JaMA8uQqT/8DG37KMJjisb+nPvZ92+8NqvkGZfXAEggPWdcABUggKh"
    + "uIDvclwAkjMtNtzsx/Hr7X/uP7fj543v3BUMAWt0Z4JR25UkImTL4ghiEpMSmUBbTXc1MW5TGyhCKAsagIYFJ1wYRQLNFqj/3umL0Iuotb711v/Y"
    + "/vX+f/H7sf1odFtm0TYRF5e1l4297g4pZMWJFaZQuZhKSgwJ3qSr3DSloIs4KjtJWiVTlSZTgkuIKtBDClLMKCuE9KbC/c8/7j9+Hm8/bb+Rmoi4"
    + "YMriAhtV09xBN0dlpEcRX4gwQRUnNDZZm5IJ+tap0FyWrSgKUCWQ4CSJTTSJ4S1BSVXQEoMF0bbd/6X/ut/f+7spGhERiLuADERalEVNbyGyGFkU"
    + "wS2o1oSLz5QK15qHtNa4+hL2klKuQgsAXBqcqVNQVFJR/5QoVR2NbP9x+3X/8evt/ZfcNVWKkcqro4Bk4USaNjVJcR7nwkIiUklSTilUVohUm5tW"
    + "cZNbFcmC0wJKJFGwgFRBiAoFAoj+WdMZHdvWf/764+fx87hVactteci12pxK1qYkkKxExgJxaEzyzJCVbtBaiJmoUSQUuFFbgDBxra6bi5TG5gGA"
    + "CiJBmv+sQi2ojAzW2v3P+/Fj7520la9ZHNG8A3ba3EqTuYmGwSJZ3NujNKSASA9Pr6UrSn17CrikNSEZnEURtOAoBxTVGALOfwqwRWjjFO3b8evn"
    + "++3X0W4ciUVeNTNynkrRZysXqSoZWzMSCh8ypYqSnLhW4Ukj5oSe9KBkaGMAKGMUD4GkJJe58kJKQYoAFAVJKOeb2I8fP99vf9zYOJCXxzPG5Jgi"
    + "FEItGMKNrKwTWQdTDCy5GDrlzKBXesasOWiyI5KK8xC1mkILWVHJQCCTUwQoKiKQEIHAO9rPP378evt1qCFpVT1GXTTT2ylUXMKujCpqpH1j57PY"
    + "nZa4h0wpnDVzzPEs+hiLq5hyY4WlyKISW5pSKSUlZS4EcKFlZTGh99b/PO6//nzfsrWs63ycz2vlyPWacPNIEMgVKVVbKBHpmsEXcqqlz7j8ga8V"
    + "Z83nWHX5qGiCvki4ZIojw7fZHIVCQkAoQhUXbInKtr29/d8/3vbjra7pX9fp6zVieSRNG6kMJRjAIK23ar6aZ6yccBqJGO7XKx4ep68YdTkWZx2x"
    + "kaV6uXuL7dKpSeAiUk5QITnV2W7xQ273X3brtxzV1linRzqfiD1oK9thb25ZDBYjjsZsq4XFotEK/MjxqvPkp07PXJvPPalBTj42T0Ii60GUwUQF"
    + "oCAABGguoKa98Z8//6f9T/vJlnWN8TjzvB4+0tcqqlolslKjKjtB9sXNOfxBK+0FedbzmmM+r+VPH+Eea6WWGHUiIdJKijRw8OKiVq0LFziBgolS"
    + "6+9/vP14+3FwQ73i8TzrVadOew3UJJ4m0zfuefCtlJV2FqIIvYLKroxrnefnh495Tl80nwiVpKRtI8lUc8aqOIsWJFHlIcUlXElCZlv7eftj/+PY"
    + "rTfHfE3xka829SVAQD4KmULYjD01uUtXSsSUS14y6OTf1+v3qt91YtZKdGIiqNwKBmpSXMT1ijZllQIEEkhmUlMtEtve345/7X/sWtPnuuLzhSfN"
    + "yBpSmaciwMUMLdG+i7KEeUTNGFirXufzY5xfL1xx2ckwV6Zdq5d0WK/uoJWu8hWXZBYlp2yZaLyC+XbYn/v/vO9/SCc5Xud5zaQCSFpUn23Zsvks"
    + "72jF2iKZmW8BUISHpo/5eJyfn5i56vvfMWsDaSeGioJVWZH0SiorK04URBYYLmZq9uPXr+Ptve8uNedcuODsUkLR0gVnA3Mq0oQNZBDZJtqcMfJk"
    + "H/P58fVa64SDc0U3085CJOhCh5AUQhA+eb4WRUooSsLAVejV2vHrrf9ru21NaIxP+njQymUMdmUtYgWQzdVhW75VN9uYhRMVyX6e11d8vk5fk2WK"
    + "KLcGKbmjlNGyGuiWSZx0hbSToUWhwlGU3MZB9+3H/c/j12ZOMuD/mStDbKYoCsUWYTF0Ao3yODiksapAXuY5a474ev5Vj3NFmdQ9dmliUGWmW7Kr"
    + "hKoX8cpFwy+dEV5IKbYikYYft/v7z9txsx3bdZ6/p0clQjSsjEznppnVksnlDSJHV2Nhy3Zl8XPE1/XXfESBN45uLTdT1tqH8lfNquqm4MZJPL3i"
    + "RKaYQ1DRg6z24/bj19sft65V8foa8+HXSB+KqSxCq4FSt4hCo5C9t7oP1VZcEfPK/PTP8/WsKCs0xabb2hTqWksHwnu0ujFNW2smXbj6UDhEkzgk"
    + "t6P9/PN429oereT0519jPpNAHsfLroZ289iYvG2U1XftdCPaiW1U1sqvMV7/Pi+KZBU5YHG83oLSiZa7R7XaRLNFUJVdq3JeFINZhCTa3o7t/W37"
    + "f/bbzvtJr+vzcz39xHJ1L+YtQMuaRbcEH7lRQ1OTA9YLCacxn/+bZ4bvWo2haCkRbnHhCl824dC+U7MemVTnSc6OJF2EJtl177rXflitNsacvnyl"
    + "s36qJl8wc2Uax4DpfDUnAO42rYZTEb14gi5hHJS34ogtViufQfapAxlS9yuy6KWsYm27jYuYqS2litCGrd/ux3st65hVtOJ0933ORJZCAjU1ElbZ"
    + "mT1qFaeA1EW9vlbN8tGe3nmxExuiuCp1xOKXFiX5PB7NeA/NP/4aZvvuf3XnYlXpJpthv/2ht62ml9ZrXcuXzEFBuc61xito+b5MuODWT8oXwnJa"
    + "Fusm65qLVm3gtNYKVd6uR8UgLF/XfKB4aCa8MVL69nPb+Vbk0AWFMGjvG3hnltAXJg2jdZVMIBK+xQ017eJBVszKND1iObcUWa8IEKXr7aW0m6ee"
    + "fOHlc7Azpk6K+yWnJqv3RJt97Zfsu4sEGCClQ/pt229HkhKdSA3F1ahB+Lmu5OHj/GLPW1QtrprpqaTOS3mWsRJo7dNNlVbp6S5rBuiK5+Ahui/e"
    + "mr4yFeTMorpvsuUmDOZGbHoz2RWVoFmVT5T6TjtxdAborPmqeKzz4nwRifSsMeEm7NNMYll4DID4mbEea72cn3POVWmxcdbesC7zWTk5qEyPP/d2"
    + "sO1dDSh0bj9kU2uLFDa2zza3qwfNvkhztEkLszmf3imDEVsNpnRQz8xQHuzti7ZPweAHJOJFFAA7JZggRGaH9hq0B2vQsajr9lVVnKti8/1oDCFp"
    + "bb7W5fsqNEbrucmYfK6MAf+Az+VnRK7lNs5OwUFWg9YcHkwPejGfzcf5uh7nwFA1VzZh2+3o+UiAFIkba+efsWuQQHDH2/3H29udN/QQibg+Z0DK"
    + "SI20WbQjoFniOuvkmiRldmtNYCDJSvf8+3OsfHJ+RdZzf4ow6RRoN9nE7thHatvExKoQ7sWfNUMWEym25H07cgem0OIXXEnQ+DAvBW3rUilW+EyO"
    + "SHnBF0ZO3NhyJNVCmH8+PuXrefI1+6vrwm3cqMnRt+riLUzIX1XpIW/SdxMV61O5Qkx/wnbby0kQeuERZxGRBm+35Oq/FNxyZRv0G2N4P2M95wSN"
    + "5TCeQe6POdxPOvW3p1fVJvOQm+6l0voODs1z5kohyUFCyn/s5hIM07rXXUpEBLPS65ye5UKpStVvd0e/i28NsEKWX6/XOPO11iSQoDRyfazBTwwK"
    + "2VCsxoHeVW9itGtMyngEMQ33yCRh23RS3npTnm17bZ17ZgpJrPVFjpU2eZp0kNM9JfYMzdJQWcRurlfjReY1pTjYr+FPyjp5phSxVdNGKTYsXZbO"
    + "LIt4tZYucVs8dbHacVJXa+bbIY3Q0JNpW/m7HvChiiwGGi8KvzjSOLerjC6rqdd2vsFvnBZLlvt1YaZQsIUAosyUjc++eHtJSuZCtt+dpOQSYl/3"
    + "s5diaFSV9dZYo1fRsxvkb/6LiBDEqAhy5gaLV6Kc2lwdMkfH5f7apOfgjKsNd2oPNcHGU48sW1svib4GHLJQyxW1av4onuK3QaQmpOrtfWPrZerQ"
    + "6jzT84voshMgLWFi0KKsFvtTNbZFEcwZ6cy+AXLB1xJh8iZcQrJbMgy00jlXcLjOzB4+/XncvADYqW3XUNLrB0Wh+3vT5sT1zCsur6QPEchLkdy4"
    + "6P0ZRsui+9SAaHE0OIRqCY1J53wgi7lpGqGvbYaWTfHlPKgezR3eGnEtFh0QJoNsX6Rvfltb+Q2joJSky0rsi7L4MupUFENonWXsQpZMnC+dAvr8"
    + "V9ClIkNbFtM+FQpZW7G6QRfIJ7AInsGP6k7X2/VOUTUYmVW8/+4vPe/SpRMgZkVIHd556MpaNeENwrWXBqD39P7ANm7oUhPmGq0kZUavWSIg8cbN"
    + "hYTDyuVpT81Y3iPRENtOWtjYrmjPFqYlUG4IXO2IPiOo0KrrxCZeLQYLua+Jrxx5+nlFDr3xm+9u/Q7UJXuDVCFNNNvGTSlMdqbAc9aKT19+eZy5"
    + "+CyiRHIjRWu+lbjwVqKgxBtC4sYJKQ+CtjP7tfxYRIVtACegc6+lWs5r8zpa0iLBxx+TSEuk7fasHhu9s9UQz6x0VL1oMUWf1LLZDmEXBGIar+3D"
    + "JoGdNs006FktF5Po20redW9HIWfkI2Isikm+kDFYOeOIlLYrRxvNeFIt4NXW2jhr5VcCxNccY7qeZLXPJtqkoQet8ELbtYLUVaZyRQ2b6i3OHpU5"
    + "rj4n2qqlYW5jK4Tz6HDsdQoGLK2vsqoF8uYSvHVgG009cnmrnCtYQxcNUV6WLNZdc5PdSygl2MVKFWlMsayTUjErbUnek5ib3G4db0qTPE/ChXjG"
    + "eI2nr6JJONmEqcnqzPNYi/rGTZisvF4X1ppzjnl5cbYWsskxutzQ3BotIplTzGdVCi+lF3F6i05F7Jsr9R471nZjut3EqIeRe6w1vii+vh9sL7Ch"
    + "RMsppyRlhvCMs8YV8/kasV45mXbel9xNDrk160kKcahX9ZVuRRsxgZoEIeisGqVFwdPU+laqx+IfG2VbKR4vIq4h55VXRaviQuUSUtqTPfTlWM+c"
    + "NXNxrEsccBHtcsnWqaNNYaGp6jxVCBwqlarrxj6Ux40ojZdnu2jQRO8564/z4nY1wiyR6f28r9guPOy5FbQT70RUrxjaniN5XIicDBRRmIYmadyO"
    + "2pzGXkXh4+7bUiUvIU7M0iyByFr7cysZyhwuMwVwDcsyRXKplPLw/tk/bnXmRvmWcfH5RiwrJRqt5TTBnJ4ckayLIKrV8uB27qM09+HX0SFXq5qg"
    + "qcPZiEXHQCVZVyIpDB1IzjFp2qLce7I2wb2W6nUjnq9rjTP+enleSnOsJGyj+FGz1lUnR2atXMf9LuCNODiPMwX1wmJMKLMDUivUEpMlhc8p/AoW"
    + "tpzbBNd4FTFn11ba266b4mh0OyCEDpJ0slWdQ5iZ82pUdEVmrW0iqikdKyDdmG5NX1nwWcNbuc3LFi+O2mnWSmKicKHHNTmJluqzdOaFtbyiUolD"
    + "89aUqSsRKGJqzcgpRRcJKLTK4H7KWHThZKKmdNSxcb9xUxe/heZYg5aPiI5F1HrNOWzYAq/wvOLG+5nT1VJ1YciY+DqfviZyW1tmswZR7nUzDbAE"
    + "fVValP/z0FtCzxy5sdGtW9+2d9HWXFTFJeozJeaZV0EWqLBO6kmBF00lyqo63/wHfMOZh9sWK+PJg1/7xQqFOdrYCrqUTpLAsq1yePChcNrGNtXl"
    + "fj3VJrGpNI1t3FenxY92cuY1QRGZFKzXPYXGyJjTg9VrI11z+XUIu9iz8GQsebLur9idelUq8m1KVRg7phbl6L41ogKfSpXgtl7ogo3R2InFD1CC"
    + "XGOGBIkPcUlXjganWaCozBR1K/84PFytUkO0S+eQyUmOfLV6NnKYnEqucvEWUrVUu+zBNWM7LsC3KQZq7BuTkoYIImoI5cqSWVOnuLXbBtkEHTLm"
    + "GuGRrhQFmbLiqveo/N3H1ixSnvtlk/kq8VatZucpRjxtVpsKxp77raxL8VVmirFNNlLe4FaQy5IkE1H1UqmXkCd822Tcn9tA0TWesTgVmPuFWIC+"
    + "rNXtmTP1/jW25xZ8KZHGinaKM8MJe7GGgvp2Ex33aVbZmOh2zkvCLPpl2xK/ZBW9yGnBMSs5hUUOWtX5WDThcPYcpbra6HMEcRzF7Toq3p7SsrYn"
    + "nK9jEkLPXNJDmCHnbSCsSaut2vhVq8tFgLYOysVc3F/6stJYs7DIJXMbVRtuwtq74sHQOSP1GZTJdffEdc2vZ524vDgZ+kNbpbUdfHL5GVeVn/CT"
    + "7OKV3Up6P1Rzm2pFKv3WNrFWpprt4qn++vyixONyeQAl/GYKO3bmuJQNC4mPvEa5xpCaf8ZYWUpcNnd+3ebNb4O/m2pOpVd/aLt8k5PUri6EsI5O"
    + "pOk2JUSI99u51HPprMRwfdZnBEOWFTu2YBEyEz9EcmZ/na94BM9iQ/p8PBIRIbwAyUaHHE3sSL0L74T8bKio9eE1nzY82zF9M/V6E+YVONs+ZCXY"
    + "+kSsZ4yvkFgldJUQNS1ut+3+w463lRm1Yp5jJX96yFaprbh3E6G508TJ68qCSElQ0iyGgV82alt62asZTWnvx+1955ImFZNeXovPqvWsV4VcA7S0"
    + "crJxKXe972rt2HZqjVcfPMf4+nx+nrPpizl8kV9BsXpFn8cXpM0QWqRWTCEYvjDVw0Ne7azSJQF63QU6V2eb5ZOXLFLzuiiDK31SD8249UgSY1I2"
    + "eeveJOyJ+RpYocdvhgS/+HzmWkVFWExam71Jx25vtNHGcskmVStWvWYFXsW2baZaSVxYGa77jbDmmvNaVLmKJ0HCqN249rabNTXulIOinGmcscY5"
    + "zknKk5Ivi79/PmEW2Z3a2ye8x8aptZR2f59ietmQVPPF/SLN2NHIcHW7snEb6T7bcyxXD1IvFTal1QgNewpCwClq0KSkWq+PlyNLuRADmVm/CcOd"
    + "mRERGlG5OrZtJ9uZwNXL2rqGX2shkmm0ytDkMHhQyLtsa8al66IGJVjbpb/bdhBTAxmXshTrNcn9oUUZZ4vJoRtf/Hx+5d/PnPwMAkunBjcmuJl2"
    + "qRs12TadtiX39KNQJiQw36wR2JbpVBTXsSC0pIuSoWlJUes6aY4yMElEw7yu8XHOz8CEKmeUZv94+1tusYq8wP1ZZWMBeRvWY7OM6EW7rTJPis+3"
    + "g6JliSNeXBUgMc2UxCQbFOQ7M6GlGdnyWlJD58HcJgYinuP591xjVLBIRdliMcGet+QkqhmvR9DE05ynmmdschMFpJ1aTazXzz+2vfXcDq7MqnzE"
    + "09eL3cwbb/W+5J6iIqzuno2WyXHoj6kceA7/enz9v1f67CVZZCVJhEP23Vjtkroo41nLPHyr03oaV7mU1iFaB+37j/5mqltSesqZjkVjxJQAdto6"
    + "/VSixukcUyYFF6Tf722vpU+8Pj//Ol/npMRk4LsFd8Q818eZ/LRM7k3zlEcRZnW/MhjoG6QjVaTLr22fgSzJgEQrDzLZ+wFtP+rduLsSZZpiIvvw"
    + "r9c87OiUui95rvH5Oi9Kd2+iqJDVlxC6bFwQRULG6XyWjKpZXAxAMntbrQvz7fZmP1u/HdSVGp7L6crymDM2NosmpUM0uJ4lYw523d7017Z3dX2u"
    + "6+P58fH1iFViQyDEYqMRdqLWcUuaRNMz0ofbxcy+yBCkml245Njv78fPuN1KtuzOwPLUuEIA2cGdN4Iwlq1B6+SkmQx9P3o18Ssfz4+/n49zFIc7"
    + "C3uxa+fZlm7CzNJZNbKuK3NUOR7gMUsqpwUnbdJ/NL0fSj1YcMTIYnqp61nBnLmPSHFUrZoRNUcQv/Xt57G3Bsqv9Z/n7/+sT1qXFEoAJlrwViWR"
    + "uuFgRFr6CCxzUJJU7VXr4CRS6Zv2tzfeumzbJhJQr+kc/WqrpaeF5VRZec3LZcjaiXq//Uvbthcez8/x+z9jjJddNplLgCJGZVBoB++0uSqtxOyr"
    + "pqSDK/kCURyvBjQce3/XvpdYdwMlgDGXPiRDXz3kSuSqKzMXFo+NQ479Xd7vyljPx/z7evjna6zMKkCMOFPCloCiC7q1uRqF1AIVz32AhwHsiI60"
    + "1nXrW2PdmIu01KLm6vNCFp3dgzXicq4YpQW2gXcc++22vWngNc/n499ff72GvaRKJCUBquLspejeuAS8F7XLwl1eRl5VKxlSS1xZj37cybaW0F11"
    + "d8nJ66ISMPsMeY21OObiyVEFOmi78Y/bfl9JM5+/Pz4er9eZmUlJAWHOopJamupp04hNSS8tmYqUZEkiXRnYCqqbmtmtQ6krlMlmmzRpileV8/S1"
    + "Ipd7Bpyr5b32vv287b+k0/TH59fj3/PhlVdRCNU3toAk9ckCjk033BCqsVEnz26sIlpaJUObcN/erEvbEtxTVPJImYsrsCT4SqmMcuZMIup8L/v5"
    + "9kPeTDW+6Ovr+fm/H/45VmZycYKFiguiVS3cuUhnmxtmJxStUpFIagBbbLBt3972tveNkRvjAOv2yhcyaCpP8qm4MletPNjy3pje3vYdfxi1LD/j"
    + "r8//PF7rXAsOrQK+m9mInCJtr5JKgUrcqqhNNqNoRrJxGZseB7beji3EElDNLVTCdfJDIlZRbVmr2LM18d4b395a3+mPgw5e63o+Pj6+zudroUjh"
    + "gGUK0AgaxSmLRyPnBQGmcSDlkk7Uaodht36rYzu2hr1FZ5PYiAzZFl02HIVlLxpKhR10mPaj98PkvndsFeMRz7/+/nhMPDkWU0jZ4hJDIbNzsLNT"
    + "VJpcxZYpZEjpmY24a9/12Nvxdu/7vsHAqxd22ZgtwinKowSCYhm8ZYfW3XZjO/TQBo16xd//+/l4PM7TV6VNCLkkJKtKy1ODAJIiWiIYZogmAqWD"
    + "rUkP3Fvb91sdpCIkZZtrV2rq4MBcssxTKBlMuunGvZl2u/d7b5T1WM+v31+vv0etFSuBAhEHIACQBiQsS5IwROCSYLBzCRHzsWX7wXvfcMe+GdNG"
    + "vIQ72OBZF0Z6yUz11JJNxeLO0va972qpzOH01+vj+fvv53WOUaVJQLGDSwDWioJlWgXbEsxCFeibyghpT6O73Fi2zptRE3WKJt/9Xw2a8iIXF564"
    + "LQjI0MX1XXGoeXfKr/jr9fX4349nvc4exFnFhQQYAnw33CcAZblaVVFEEL0U3hhKpQXS3nfeu+7du7zolgVjbBvlFQgHcib1VSoOJtpsU5gU7auu"
    + "gb/Ov/96XM/8TTQzK8kSvQoFgSVgLAlKYAE8UBWcbnDRQQEhPnKz3DeCRbawakvctO0EN6k4aQVBODoWMxmsKYhMl+GS6/z6en59vj5eHmtaKKUA"
    + "vABwyTc8YkcLytqcKUhgC5jJ7h3MSU00rJGIdNFlq4oaEwgsLaasSI3UVdv8liMbYR0ZmvA1H/l4fj7+/Rh/69MRTp6oLCpAA4Lv3n6gUJAsip6E"
    + "KwJOCNiKspCSRtmYXatYEa2evfM9uqZuPrEeFaG0UrvDaFExLw2vdfr6GH99/L7OJzw42Iosvv3Z9yz4brzlKqvGREyV63utP9Ldk1lkppZETxKS"
    + "KIKG7UFSnUHs85VJjMxckrNnGOpkj2R/zM/z8/Ovr8/x6eWVRC7EC7AEocAiVoUqFIESXuSZhbaEK5C+UK+MYgGHUYgGNCGwmiqi6NKnXsirKAXS"
    + "X5v9VNoAAAQeSURBVMpraq7BiIW/zvH1+Pz91+8xPlc8KrwgHkmwRWAQKgUJkACghKIKhp7Rgj1mjYHLeNDy7OoW7GHJyzjA0fagXpQ8kSSrHCcI"
    + "owBMJD/qfJx/Pb8+Hq/nc44Zksi+shcV0gJFRZZCVEQMTWCb375jlSBlliU75ZzsszLKvYKQsfaXDMAYfFBCLly5pkdyao7O9KpY5+s8z+f/Xh9f"
    + "H895jbj2tSh5AVGaahMEUBVELCQlEkAW0EsDlOApzf3ynFjPR8r0Bxd8BbxfQLnASDhZaETUNa0W8cVnrelznNf19+fvz8+v5/z8fPn0Wq6Lvhu6"
    + "nXR+UwJNlUyYp0pCA0JFDrLMQlAWycyLBvJLPyuurOlSCMYqZDDFgfJIfqRfi65FefK11sdYn6+v898f5/PjdYKminuGVaE5CuwQiwQlkri04ETs"
    + "ZPNbpIESEJsGAqj31m5ytP0H91vx2+Y7W3AT1UOb2uB45FlXzkpcNLLW73yt83rM9chY8RTkBKc6+ir6R9rBAC8C8bdwlACVeaGtaslOIcWOBlm7"
    + "bmyb3fZmmx1tvasoupXsG7Ufnjy/aK6xIjPqOez3zNczxjxfOSrPkGufVPEPKIQEiHRCwhagJMlUMgES52SKPnWBE1Tb1TNjQ4Pfm5gc/EOPXQhv"
    + "3Am33LodDVj5u13PSJ9+oa51xeuJL/2i81o9Ll1EwQ5OiX+gF1OWBKE4QZzf1oMKXPUN3izyG7wBoGMYQZTubtq2e/SDmwlb094buOmjPek3r3wt"
    + "vHKNnGNeF1Z5RHlGG6LhEv+FfkUJWDmoXwAIe0xOdXAVI9XpH/LIVYAm+oU2umbbYiO2Tbj1bLphE961pcVIP7OuU8bAlRfyyZdnRXDCq+pb8HFy"
    + "Esu0BXXWCXUQigjf0HO7viP8RolUfRY4LQNS/ZJszbm2ws7SyPbnTTqL9HVbRI9cEVg56oLjQl0IT2G6OLQCUqkO9FycQJsAjte39gNJfNvPNjnB"
    + "sgCAOL6dMEEzW1QWM3MStIFEvRPLpt5JhJJWTB0y+OKcnimjRteXrnah2vznKuf65/5X39jPnBKAEIA2YRkA2rSFbwMqiP+yQI0CRBckVCD0fCMo"
    + "l9GSe0THqiAdE8hsL8Jyjaz6L53+P+P/z1t8K99vcRgkAMISoOoRSGgAVODQVCmUVBIzdH2HdencvLLo5TV5fdTLfebrpFfQquukSZ5OSNKEoTbK"
    + "FopsLv8FdQAFABQ1BwgKh+D/RNwH0z8KClrgBQjCFidLpaBsQilKQYzmUZxUoPCtKqlmfQty9t29DSqQfGs+0glwUhtEReLFCYgwSaCKU6hYE9/1"
    + "EQ0Fy6RM0ipUoix0kXqBHItrc5mRnvZkvTjJIxLzn9CrUicqWgAaxcVUCBBKMqmoKgkFqfr/AEjqrGGRfp/TAAAAAElFTkSuQmCC",
};

const state = {models: null, key: "", needsKey: false, items: [], results: [], running: 0, count: 0};
const at = id => document.getElementById(id);

// ---------------------------------------------------------------- The server

/** A failed request, with the server's words. */
class Failure extends Error {
  constructor(message, status, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Sends a request to a path relative to this page and returns the response; throws a Failure. */
async function call(path, signal, image) {
  const headers = {"X-Request-ID": requestID()};
  if (state.key) headers.Authorization = `Bearer ${state.key}`;
  if (image) headers["Content-Type"] = image.isPNG ? "image/png" : "application/octet-stream";
  let response;
  try {
    const method = image ? "POST" : "GET";
    response = await fetch(path, {method, headers, body: image?.blob, signal, cache: "no-store"});
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Failure("The server cannot be reached.", 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response) {
  let detail;
  try {
    detail = (await response.json()).detail;
  } catch {
    // A proxy in between may send a page of its own; its status says enough.
  }
  const words = typeof detail === "string" ? detail : `HTTP status ${response.status} ${response.statusText}`;
  return new Failure(words, response.status, Number(response.headers.get("Retry-After")) || 1);
}

async function readJSON(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure("The answer is not JSON.", response.status);
    throw error instanceof TypeError ? new Failure("The connection was cut.", 0) : error;
  }
}

function requestID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}

/** The path of an operation on an item's image, with its rendering and `more` parameters. */
function path(item, operation, more = {}) {
  const query = new URLSearchParams({...parameters(item.rendering), ...more}).toString().replaceAll("%2C", ",");
  return `v1/models/${encodeURIComponent(item.model)}/${operation}${query && "?" + query}`;
}

function parameters(rendering) {
  const query = {};
  if (rendering.bits) query.bits = rendering.bits;
  if (rendering.width) Object.assign(query, {window_center: rendering.center, window_width: rendering.width});
  if (rendering.invert) query.photometric = "MONOCHROME1";
  return query;
}

// ---------------------------------------------------------------- Models and the key

async function loadModels() {
  at("trouble").hidden = true;
  try {
    const answer = await readJSON(await call("v1/models"));
    state.models = answer.models ?? [];
    at("key-form").hidden = true;
    state.needsKey = false;
    at("change-key").hidden = !state.key;
    showModels();
    resume();
  } catch (error) {
    if (error.status === 401 || error.status === 403) return askForKey(error);
    at("trouble-text").textContent = `The models cannot be listed: ${error.message}`;
    at("trouble").hidden = false;
  }
}

function askForKey(error) {
  at("key-reason").textContent = state.key
    ? `The server did not accept the key: ${error.message}`
    : "This server needs an API key. Images that you add now are scored once the key is entered.";
  const isNew = at("key-form").hidden;
  state.needsKey = true;
  at("key-form").hidden = false;
  at("trouble").hidden = true;
  if (isNew || state.key) at("key").focus();
  for (const item of state.items) show(item);
}

function useKey(event) {
  event.preventDefault();
  const key = at("key").value.trim();
  if (!/^[!-~]+$/.test(key)) {
    at("key-reason").textContent = "A key has only printable ASCII characters and no spaces.";
    return;
  }
  state.key = key;
  at("key").value = "";
  loadModels();
}

function showModels() {
  const list = at("model");
  const earlier = list.value;
  fillModels(list, state.models.find(model => model.name === earlier) ? earlier : defaultModel()?.name);
  at("model-bar").hidden = state.models.length < 2;
  if (state.models.length === 0) {
    at("trouble-text").textContent = "The server has no model.";
    at("trouble").hidden = false;
  }
  showModelCard();
}

function fillModels(list, selected) {
  list.replaceChildren(...state.models.map(({name}) => new Option(name, name, name === selected, name === selected)));
}

const defaultModel = () => state.models.find(model => model.default) ?? state.models[0];
const modelNamed = name => state.models?.find(model => model.name === name);

/** Starts the items that waited for the models or for a key. */
function resume() {
  for (const item of state.items) {
    if (!modelNamed(item.model)) item.model = at("model").value;
    if (item.phase === "key") item.phase = "queued";
    show(item);
  }
  pump();
}

// ---------------------------------------------------------------- The model card

const percent = (share, digits = 0) => `${(share * 100).toFixed(digits)}%`;
const interval = range => Array.isArray(range) ? `95% interval ${range.map(end => percent(end)).join(" to ")}` : "";
const isNumber = value => typeof value === "number" && Number.isFinite(value);

/** Shows the members of the model that is selected for new images. */
function showModelCard() {
  const model = modelNamed(at("model").value);
  at("model-card").hidden = !model;
  if (!model) return;
  at("model-title").textContent = `Model: ${model.name}`;
  at("model-description").textContent = model.description ?? "";
  const {calibration, evaluation} = model;
  list("model-facts", [
    ["Use", model.intended_use ?? NOTICE], ["License", model.license], ["Version", model.version],
    ["Digest", `${model.digest.slice(0, 19)}…`],
    ["Input", `${model.input.width} × ${model.input.height}, ${model.input.channels === 1 ? "gray" : "color"}`],
    ["Score", `${model.score.method}, ${model.score.views} views`],
    ["Calibration", calibration ? `${calibration.images} normal images, alpha ${calibration.alpha}` : "none"],
  ]);
  at("model-evaluation").textContent = evaluationText(evaluation);
  list("model-figures", evaluation ? figures(evaluation) : []);
  at("model-limits").replaceChildren(...limits(model).map(text => element("li", text)));
}

function evaluationText(evaluation) {
  if (!evaluation) return "The model has not been evaluated.";
  const {normals, anomalies, split} = evaluation;
  const images = isNumber(normals) && isNumber(anomalies) ? `${normals} normal and ${anomalies} anomalous images` : "";
  const later = evaluation.measured_before_calibration ? ". Measured before the calibration to this site." : "";
  return `${images}${images && split ? `, split “${split}”` : ""}${later}`;
}

function figures(evaluation) {
  // How good the verdicts are comes first: an AUROC alone does not say it.
  const measured = name => isNumber(evaluation[name]) ? percent(evaluation[name], 1) : "not measured";
  const rows = [
    ["Sensitivity", "", measured("sensitivity"), "of the anomalous images, at the threshold"],
    ["False-positive rate", "", measured("false_positive_rate"),
      ["of the normal images", interval(evaluation.false_positive_interval_95)].filter(text => text).join(", ")],
    ["AUROC", "auroc", evaluation.auroc?.toFixed?.(3),
      Array.isArray(evaluation.auroc_interval_95)
        ? `95% interval ${evaluation.auroc_interval_95.map(end => end.toFixed(3)).join(" to ")}` : ""],
    ["AUPR", "aupr", evaluation.aupr?.toFixed?.(3), ""],
    ["FPR at 95% sensitivity", "fpr95", percent(evaluation.fpr95, 1), ""],
    ["Accuracy", "accuracy", percent(evaluation.accuracy, 1), ""],
  ];
  return rows.filter(([, member]) => !member || isNumber(evaluation[member])).map(([name, , value, note]) => [name, value, note]);
}

function limits(model) {
  const {evaluation, calibration, input} = model;
  const texts = [];
  if (isNumber(evaluation?.sensitivity)) {
    texts.push(`Misses ${percent(1 - evaluation.sensitivity)} of the anomalies in the test images at its threshold.`);
  }
  const lowest = evaluation?.false_positive_interval_95?.[0];
  if (calibration && isNumber(lowest) && lowest > calibration.alpha) {
    texts.push(`Calls ${percent(evaluation.false_positive_rate)} of the normal test images anomalous, more than the `
      + `${percent(calibration.alpha)} intended: they differ from the calibration images.`);
  }
  if (!calibration) texts.push("Not calibrated: it gives no p-value and no verdict.");
  else if (!isNumber(calibration.threshold)) texts.push("Calibrated with too few images for a threshold: no verdict.");
  if (calibration) texts.push("The p-value holds only for images like the calibration images: same device, view and rendering.");
  texts.push(`Images are resized to ${input.width} × ${input.height} pixels; smaller findings disappear.`);
  texts.push(`At most ${(model.limits.pixels / 1e6).toFixed(0)} million pixels and `
    + `${Math.floor(model.limits.body_bytes / 2 ** 20)} MiB an image.`);
  return texts;
}

function list(id, rows) {
  at(id).replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value, note]) => {
    const term = element("dt", name);
    if (note) term.append(element("small", note));
    return [term, element("dd", value)];
  }));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

// ---------------------------------------------------------------- Adding images

async function add(files, model) {
  const items = await Promise.all([...files].map(file => makeItem(file, model)));
  at("cards").prepend(...items.map(item => item.card));
  state.items.unshift(...items);
  for (const item of items) show(item);
  announce(`${items.length} image${items.length === 1 ? "" : "s"} added.`);
  pump();
}

async function makeItem(file, model) {
  const item = {
    id: ++state.count, name: file.name || "pasted image", blob: file, model: model ?? at("model").value,
    ...await readHeader(file), rendering: {}, run: 0, phase: "queued", frames: [], maps: new Map(), zoom: 1, seconds: 0,
  };
  item.card = makeCard(item);
  decode(file, item).then(bitmap => {
    if (bitmap && item.frames.length === 0) showFrames(item, [{t: 0, bitmap}]);
  });
  return item;
}

/** Reads the size, bit depth and color type from the first chunk of a PNG file. */
async function readHeader(blob) {
  const bytes = new DataView(await blob.slice(0, 33).arrayBuffer());
  if (bytes.byteLength < 33 || bytes.getUint32(0) !== 0x89504E47 || bytes.getUint32(4) !== 0x0D0A1A0A) {
    return {isPNG: false};
  }
  const [width, height] = [bytes.getUint32(16), bytes.getUint32(20)];
  const [depth, color, isInterlaced] = [bytes.getUint8(24), bytes.getUint8(25), bytes.getUint8(28) !== 0];
  const [isGray, channels] = [color === 0 || color === 4, color === 4 ? 2 : 1];
  return {isPNG: true, width, height, depth, isInterlaced, isGray, channels};
}

/** Returns a bitmap of a file that the browser can show, or nothing. */
async function decode(blob, item) {
  const most = state.models?.[0]?.limits.pixels ?? 25e6;
  if (item.isPNG && item.width * item.height > most) return undefined;
  return createImageBitmap(blob).catch(() => undefined);
}

function addExamples() {
  const model = modelNamed("phantom") && "phantom";
  add(Object.entries(PHANTOMS).map(([name, text]) => {
    const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
    return new File([bytes], name, {type: "image/png"});
  }), model);
  if (model) {
    at("model").value = model;
    showModelCard();
  }
}

function announce(text) {
  at("status").textContent = text;
}

// ---------------------------------------------------------------- Runs

/** Scores an item, again if it has been scored: what was known about it is discarded. */
function start(item) {
  stop(item);
  Object.assign(item, {phase: "queued", result: undefined, failure: undefined, pictureFailure: undefined, busy: 0});
  item.frames = item.frames.slice(0, 1);
  item.maps.clear();
  showFrames(item, item.frames);
  show(item);
  pump();
}

/** Ends the item's run: its answers are no longer wanted. */
function stop(item) {
  item.run += 1;
  item.abort?.abort();
}

function pump() {
  if (!state.models?.length || state.needsKey) return;
  for (const item of state.items) {
    if (state.running >= RUNNING_AT_ONCE) return;
    if (item.phase === "queued") run(item);
  }
}

async function run(item) {
  item.abort = new AbortController();
  Object.assign(item, {run: item.run + 1, phase: "running", seconds: 0});
  const {run: number, abort} = item;
  const isCurrent = () => item.run === number;
  const seconds = (modelNamed(item.model)?.limits.timeout_seconds ?? 60) + TRANSFER_SECONDS;
  const timer = setTimeout(() => {
    abort.abort(new Failure(`The server did not answer within ${seconds} seconds.`, 0));
  }, seconds * 1000);
  state.running += 1;
  show(item);
  try {
    checkSize(item);
    const result = await readJSON(await call(path(item, "score"), abort.signal, item));
    if (isCurrent()) finish(item, result);
    if (isCurrent()) await loadPictures(item, abort.signal, isCurrent);
  } catch (error) {
    if (isCurrent()) fail(item, error);
  } finally {
    clearTimeout(timer);
    state.running -= 1;
    pump();
  }
}

function finish(item, result) {
  Object.assign(item, {phase: "done", result});
  record(item, {result});
  show(item);
  announce(`${item.name}: ${VERDICTS[result.verdict ?? "none"]}${isNumber(result.score)
    ? `, score ${result.score.toFixed(3)}, threshold 0.5` : ""}. ${NOTICE}`);
}

function fail(item, error) {
  if (error.status === 401) {
    item.phase = "key";
    askForKey(error);
  } else if ((error.status === 429 || error.status === 503) && (item.busy ?? 0) < BUSY_RETRIES) {
    waitAndRetry(item, error);
  } else {
    Object.assign(item, {phase: "failed", failure: error.message, result: undefined});
    record(item, {error: error.message});
    announce(`${item.name} failed: ${error.message}`);
  }
  show(item);
}

/** Throws if the server would reject the file by its size, which it can do only by closing the connection. */
function checkSize(item) {
  const most = modelNamed(item.model).limits.body_bytes;
  if (item.blob.size > most) {
    throw new Failure(`The file has ${item.blob.size} bytes, more than the ${most} that the server takes.`, 413);
  }
}

/** Queues the item again when the server said that it would be less busy. */
function waitAndRetry(item, error) {
  Object.assign(item, {phase: "busy", busy: (item.busy ?? 0) + 1});
  const {run} = item;
  setTimeout(() => {
    if (item.run !== run) return;
    item.phase = "queued";
    show(item);
    pump();
  }, Math.min(error.retryAfter, 10) * 1000);
}

// ---------------------------------------------------------------- Dissolved copies and heat maps

/** Loads the dissolved copies and the first heat map of a scored item; a failure leaves the score as it is. */
async function loadPictures(item, signal, isCurrent) {
  try {
    item.pictureFailure = undefined;
    show(item);
    const frames = await loadFrames(item, signal);
    if (!isCurrent()) return;
    showFrames(item, frames);
    await loadMap(item, mapStep(item), signal, isCurrent);
  } catch (error) {
    if (!isCurrent()) return;
    item.pictureFailure = `The dissolved copies cannot be loaded: ${error.message}`;
    show(item);
  }
}

/** Returns the image as the server rendered it and its dissolved copies, from one strip. */
async function loadFrames(item, signal) {
  const {width, height} = item.result.image;
  const most = Math.max(1, Math.floor(STRIP_PIXELS / (width * height)) - 1);
  const {timesteps, default_t: middle} = modelNamed(item.model).dissolve;
  const possible = STEPS.filter(step => step < timesteps);
  const steps = most >= possible.length ? possible : [...new Set([middle, ...possible.filter((_, i) => i % 2 === 0)])]
    .slice(0, most).sort((a, b) => a - b);
  const response = await call(path(item, "dissolve", {t: steps.join()}), signal, item);
  const strip = await createImageBitmap(await response.blob());
  const ratio = Math.min(1, SIDE_OF_COPIES / Math.max(width, height));
  const [resizeWidth, resizeHeight] = [width, height].map(side => Math.max(1, Math.round(side * ratio)));
  // One step gives the copy alone, more a strip that begins with the image.
  const first = steps.length > 1 ? [0] : [];
  const frames = await Promise.all([...first, ...steps].map(async (t, place) => {
    const options = t > 0 && ratio < 1 ? {resizeWidth, resizeHeight} : {};
    return {t, bitmap: await createImageBitmap(strip, place * width, 0, width, height, options)};
  }));
  return first.length ? frames : [item.frames[0], ...frames].filter(frame => frame);
}

/** The step of the heat map: that of the slider, or the model's own while the image is not dissolved. */
function mapStep(item) {
  return item.frames[Number(item.part.slider.value)]?.t || modelNamed(item.model)?.dissolve.default_t;
}

async function loadMap(item, t, signal, isCurrent) {
  if (item.maps.has(t)) return;
  const blob = await (await call(path(item, "heatmap", {t, overlay: false}), signal, item)).blob();
  const map = colored(await createImageBitmap(blob));
  if (!isCurrent()) return;
  item.maps.set(t, map);
  draw(item);
}

/** Loads the heat map that the slider asks for, after the slider has come to rest. */
function wantMap(item) {
  clearTimeout(item.mapTimer);
  if (!item.part.heat.checked || item.maps.has(mapStep(item)) || item.phase !== "done") return;
  const {run} = item;
  item.mapTimer = setTimeout(async () => {
    const t = mapStep(item);
    try {
      await loadMap(item, t, item.abort.signal, () => item.run === run);
    } catch (error) {
      if (item.run !== run) return;
      item.part["map-state"].textContent = `The map at t = ${t} cannot be loaded: ${error.message}`;
    }
  }, 150);
}

/** Turns a gray map into one from transparent over red to yellow. */
function colored(gray) {
  const ratio = Math.min(1, SIDE_OF_COPIES / Math.max(gray.width, gray.height));
  const canvas = new OffscreenCanvas(Math.ceil(gray.width * ratio), Math.ceil(gray.height * ratio));
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(gray, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const {data} = pixels;
  for (let i = 0; i < data.length; i += 4) {
    const level = data[i];
    [data[i], data[i + 1], data[i + 2], data[i + 3]] = [255, Math.max(0, 2 * level - 255), 0, level];
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function showFrames(item, frames) {
  item.frames = frames;
  const {slider} = item.part;
  slider.max = Math.max(0, frames.length - 1);
  item.card.querySelector(".dissolving").hidden = frames.length < 2;
  item.card.querySelector(".viewport").classList.toggle("shown", frames.length > 0);
  draw(item);
}

/** Draws the copy that the slider shows, with the heat map over it. */
function draw(item) {
  const {slider, heat, opacity, step} = item.part;
  const index = Math.min(Number(slider.value), item.frames.length - 1);
  const frame = item.frames[index];
  if (!frame) return;
  const canvas = item.card.querySelector("canvas");
  const {width, height} = item.frames[0].bitmap;
  Object.assign(canvas, {width, height});
  const context = canvas.getContext("2d");
  context.drawImage(frame.bitmap, 0, 0, width, height);
  const map = heat.checked && item.maps.get(mapStep(item));
  if (map) {
    context.globalAlpha = Number(opacity.value) / 100;
    context.drawImage(map, 0, 0, width, height);
  }
  const text = frame.t === 0 ? "t = 0, the image itself" : `t = ${frame.t}`;
  step.textContent = text;
  slider.setAttribute("aria-valuetext", text);
  item.part["opacity-label"].hidden = !heat.checked;
  const legend = map ? ": red where dissolving changed the image, yellow where most." : " is loading…";
  item.part["map-state"].textContent = heat.checked ? `Map at t = ${mapStep(item)}${legend}` : "";
  canvas.setAttribute("aria-label", `${item.name}, ${text}${map ? `, with the heat map at t = ${mapStep(item)}` : ""}`);
  setZoom(item, item.zoom);
}

function setZoom(item, zoom) {
  item.zoom = Math.min(16, Math.max(1, zoom));
  const canvas = item.card.querySelector("canvas");
  const viewport = item.card.querySelector(".viewport");
  const share = Math.min(1, canvas.width / canvas.height) * item.zoom;
  canvas.style.width = `${share * 100}%`;
  canvas.classList.toggle("enlarged", viewport.clientWidth * share > canvas.width);
  item.part.zoom.textContent = percent(item.zoom);
}

// ---------------------------------------------------------------- Cards

function makeCard(item) {
  const card = at("card").content.cloneNode(true).firstElementChild;
  const part = {};
  for (const node of card.querySelectorAll("[data-is]")) part[node.dataset.is] = node;
  Object.assign(item, {card, part});
  const title = card.querySelector("h3");
  title.textContent = item.name;
  title.id = `image-${item.id}`;
  card.setAttribute("aria-labelledby", title.id);
  card.querySelector(".viewport").setAttribute("aria-label",
    `View of ${item.name}; plus and minus zoom, arrow keys scroll`);
  card.querySelector("[data-do=remove]").setAttribute("aria-label", `Remove ${item.name}`);
  part.slider.setAttribute("aria-label", `Dissolve ${item.name}`);
  part.file.textContent = fileText(item);
  part.levels.hidden = !item.isGray;
  part["window-fields"].hidden = part.range.hidden = !(item.depth > 8);
  if (item.isInterlaced) part.range.hidden = true;
  part.bits.append(new Option("16 (all)", ""), ...[15, 14, 13, 12, 11, 10, 9].map(bits => new Option(bits, bits)));
  connect(item);
  return card;
}

function fileText({isPNG, width, height, depth, isGray, blob}) {
  const size = blob.size < 1e6 ? `${Math.ceil(blob.size / 1000)} kB` : `${(blob.size / 1e6).toFixed(1)} MB`;
  if (!isPNG) return `Not a PNG file, ${size}`;
  return `${width} × ${height}, ${depth} bits, ${isGray ? "gray" : "color"}, ${size}`;
}

/** Connects the controls of a card with its item. */
function connect(item) {
  const {card, part} = item;
  const viewport = card.querySelector(".viewport");
  const actions = {
    "zoom-in": () => setZoom(item, item.zoom * 2), "zoom-out": () => setZoom(item, item.zoom / 2),
    "zoom-fit": () => setZoom(item, 1), "remove": () => remove(item), "retry": () => start(item),
    "retry-pictures": () => retryPictures(item), "curl": () => copyCommand(item),
    "range": () => windowFromSamples(item), "reset": () => resetLevels(item),
  };
  card.addEventListener("click", event => actions[event.target.closest("[data-do]")?.dataset.do]?.());
  card.querySelector("form").addEventListener("submit", event => applyLevels(item, event));
  part.slider.addEventListener("input", () => { draw(item); wantMap(item); });
  part.heat.addEventListener("change", () => { draw(item); wantMap(item); });
  part.opacity.addEventListener("input", () => draw(item));
  part.model.addEventListener("change", () => { item.model = part.model.value; start(item); });
  viewport.addEventListener("dblclick", () => setZoom(item, item.zoom * 2));
  viewport.addEventListener("keydown", event => {
    const factor = {"+": 2, "=": 2, "-": 0.5, "0": 0}[event.key];
    if (factor === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setZoom(item, item.zoom * factor);
  });
  connectDragging(viewport);
}

/** Lets a mouse move the enlarged image; touch screens scroll by themselves. */
function connectDragging(viewport) {
  viewport.addEventListener("pointerdown", event => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    viewport.setPointerCapture(event.pointerId);
    viewport.classList.add("dragged");
  });
  viewport.addEventListener("pointermove", event => {
    if (viewport.classList.contains("dragged")) viewport.scrollBy(-event.movementX, -event.movementY);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    viewport.addEventListener(end, () => viewport.classList.remove("dragged"));
  }
}

/** Brings the card up to date with the item. */
function show(item) {
  const {card, part, phase, result} = item;
  card.dataset.phase = phase;
  card.setAttribute("aria-busy", String(phase === "running" || phase === "queued"));
  const isWaiting = ["queued", "running", "key", "busy"].includes(phase);
  part.waiting.hidden = !isWaiting;
  part["waiting-text"].textContent = waitingText(item);
  part.waiting.querySelector("button").hidden = !(phase === "running" && item.seconds >= SLOW_AFTER_SECONDS);
  part.failure.hidden = phase !== "failed";
  part["failure-text"].textContent = item.failure ?? "";
  part.answer.hidden = part.raw.hidden = !result;
  const failed = card.querySelector("[data-is=picture-failure]");
  failed.hidden = !item.pictureFailure;
  failed.querySelector("span").textContent = item.pictureFailure ?? "";
  part["model-label"].hidden = !(state.models?.length > 1);
  if (state.models && part.model.value !== item.model) fillModels(part.model, item.model);
  if (result) showResult(item, result);
  else card.dataset.verdict = "none";
  at("score-all").hidden = !state.items.some(other => other.model !== at("model").value);
}

function waitingText({phase, seconds, model}) {
  if (phase === "busy") return "The server is busy; trying again shortly.";
  if (phase === "key" || state.needsKey) return "Waiting for an API key.";
  if (!state.models) return "Waiting for the list of models.";
  if (phase === "queued") return "Waiting for other images.";
  return seconds < SLOW_AFTER_SECONDS ? `Scoring with ${model}…` : `No answer yet after ${seconds} s.`;
}

function showResult(item, result) {
  const {card, part} = item;
  const verdict = result.verdict ?? "none";
  card.dataset.verdict = verdict;
  part.verdict.textContent = VERDICTS[verdict] ?? verdict;
  showGauge(part.gauge, result);
  const numbers = [
    ["Score", result.score, 3], ["p-value", result.p_value, 3], ["Normality", result.normality, 3],
  ].filter(([, value]) => isNumber(value));
  part.numbers.replaceChildren(...numbers.flatMap(([name, value, digits]) => {
    const span = element("span", `${name} `);
    span.append(element("b", name === "p-value" ? significant(value) : value.toFixed(digits)));
    return [span];
  }));
  part.explanation.textContent = explanation(result);
  showCheck(part, result.input_check);
  showRemarks(part.warnings, result.image?.warnings);
  part.caution.textContent = `${result.notice ?? NOTICE} Model ${result.model.name} ${result.model.version}.`;
  part.raw.querySelector("pre").textContent = JSON.stringify(result, null, 2);
  part.raw.querySelector("pre").setAttribute("aria-label", `Full answer for ${item.name}`);
}

const significant = value => value >= 0.1 ? value.toFixed(2) : value >= 0.001 ? value.toFixed(3) : value.toPrecision(1);

/** Shows where the score is; for an atypical image it means nothing. */
function showGauge(gauge, result) {
  gauge.hidden = !isNumber(result.score) || result.input_check?.typical === false;
  if (gauge.hidden) return;
  const side = result.score > 0.5 ? "above" : result.score < 0.5 ? "below" : "at";
  gauge.setAttribute("aria-valuenow", result.score.toFixed(3));
  gauge.setAttribute("aria-valuetext", `${result.score.toFixed(3)}, ${side} the threshold 0.5`);
  gauge.querySelector(".needle").style.left = `${result.score * 100}%`;
}

/** What the p-value means, or why there is none. */
function explanation(result) {
  if (result.input_check?.typical === false) {
    return "No verdict and no p-value: the image is not like the images that the model was calibrated with, so its "
      + "score means nothing.";
  }
  if (!isNumber(result.p_value)) {
    return modelNamed(result.model.name)?.calibration
      ? "The server gave no p-value for this image." : "No verdict and no p-value: the model is not calibrated.";
  }
  const alpha = result.threshold?.alpha;
  const rule = isNumber(alpha) ? ` (${percent(alpha)} or less is called anomalous)` : "";
  const meaning = `Of normal images like the calibration images, about ${share(result.p_value)} score as high as this `
    + `one or higher${rule}; this is not the probability of a disease.`;
  return isNumber(alpha) ? meaning
    : `No verdict: the model was calibrated with too few images for a threshold. ${meaning}`;
}

const share = value => value < 0.001 ? `1 in ${Math.round(1 / value)}` : percent(value, value < 0.1 ? 1 : 0);

/** Says whether the image is like the calibration images, with the reasons if it is not. */
function showCheck(part, check) {
  const isTypical = check?.typical !== false;
  part.typical.textContent = check
    ? `Input check: typical of the calibration images (p-value ${significant(check.p_value)}).`
    : "Input check: none. The model does not notice images of another kind.";
  part.typical.hidden = !isTypical;
  showRemarks(part.check, isTypical ? [] : check.reasons.length ? check.reasons : ["its statistics differ"]);
  if (!isTypical) {
    part.check.querySelector("p").textContent = `Input check: not typical (p-value ${significant(check.p_value)})`;
  }
}

function showRemarks(node, texts) {
  node.hidden = !texts?.length;
  node.querySelector("ul").replaceChildren(...(texts ?? []).map(text => element("li", text)));
}

function remove(item) {
  stop(item);
  const next = item.card.nextElementSibling ?? item.card.previousElementSibling;
  item.card.remove();
  state.items = state.items.filter(other => other !== item);
  announce(`${item.name} removed.`);
  (next?.querySelector("[data-do=remove]") ?? at("choose")).focus();
  pump();
}

function retryPictures(item) {
  const {run} = item;
  item.abort = new AbortController();
  loadPictures(item, item.abort.signal, () => item.run === run);
}

/** Counts the seconds of running items, so that a slow server is noticed. */
function tick() {
  for (const item of state.items) {
    if (item.phase !== "running") continue;
    item.seconds += 1;
    if (item.seconds >= SLOW_AFTER_SECONDS) show(item);
    if (item.seconds === SLOW_AFTER_SECONDS) announce(`${item.name}: no answer yet.`);
  }
}

// ---------------------------------------------------------------- Gray levels

function applyLevels(item, event) {
  event.preventDefault();
  const {bits, center, width, invert} = item.part;
  if ((center.value === "") !== (width.value === "")) {
    item.part["levels-state"].textContent = "A window needs both its center and its width.";
    return;
  }
  item.part["levels-state"].textContent = "";
  item.rendering = {bits: bits.value, center: center.value, width: width.value, invert: invert.checked};
  start(item);
}

function resetLevels(item) {
  item.card.querySelector("form").reset();
  item.card.querySelector("form").requestSubmit();
}

/** Sets the window from the smallest to the largest sample; the browser's own decoder has only 8 bits. */
async function windowFromSamples(item) {
  const {center, width} = item.part;
  try {
    const {low, high} = await sampleRange(item);
    center.value = (low + high) / 2 + 0.5;
    width.value = high - low + 1;
    item.part["levels-state"].textContent = `The samples range from ${low} to ${high}.`;
  } catch {
    item.part["levels-state"].textContent = "The samples cannot be read.";
  }
}

/** Returns the smallest and largest gray sample of a 16-bit PNG file that is not interlaced. */
async function sampleRange({blob, width, height, channels}) {
  const bytes = await inflated(await blob.arrayBuffer());
  const step = 2 * channels;
  const row = width * step;
  if (bytes.length < height * (row + 1)) throw new RangeError("truncated");
  let [low, high, above] = [65535, 0, new Uint8Array(row)];
  for (let y = 0; y < height; y += 1) {
    const start = y * (row + 1);
    const line = bytes.subarray(start + 1, start + 1 + row);
    unfilter(bytes[start], line, above, step);
    for (let x = 0; x < row; x += step) {
      const sample = line[x] * 256 + line[x + 1];
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    above = line;
  }
  return {low, high};
}

async function inflated(file) {
  const view = new DataView(file);
  const parts = [];
  for (let place = 8; place + 12 <= file.byteLength;) {
    const length = view.getUint32(place);
    if (view.getUint32(place + 4) === 0x49444154) parts.push(new Uint8Array(file, place + 8, length));
    place += 12 + length;
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes the filter of a row (PNG, section 9.2). */
function unfilter(type, line, above, step) {
  for (let x = 0; x < line.length; x += 1) {
    const left = x < step ? 0 : line[x - step];
    const corner = x < step ? 0 : above[x - step];
    const up = above[x];
    const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][type];
    line[x] += predicted;
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// ---------------------------------------------------------------- curl, history, downloads

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function command(item) {
  const key = state.key ? ' -H "Authorization: Bearer $DIA_KEY"' : "";
  return `curl --fail-with-body${key} -H 'Content-Type: image/png' --data-binary ${quoted("@" + item.name)} `
    + quoted(new URL(path(item, "score"), location.href).href);
}

async function copyCommand(item) {
  const {copied, command: field} = item.part;
  field.value = command(item);
  try {
    await navigator.clipboard.writeText(field.value);
    copied.textContent = "Copied.";
  } catch {
    // Without HTTPS browsers do not offer the clipboard.
    item.part["command-label"].hidden = false;
    field.focus();
    field.select();
    copied.textContent = "Copy the command from the field below.";
  }
}

function record(item, outcome) {
  state.results.unshift({
    time: new Date().toISOString(), filename: item.name, model: item.model, rendering: parameters(item.rendering),
    ...outcome,
  });
  showHistory();
}

function showHistory() {
  at("history").hidden = state.results.length === 0;
  at("history-rows").replaceChildren(...state.results.map(({time, filename, model, rendering, result, error}) => {
    const row = document.createElement("tr");
    const number = (value, text) => isNumber(value) ? text(value) : "–";
    row.append(
      element("td", filename), element("td", error ? `failed: ${error}` : VERDICTS[result.verdict ?? "none"]),
      element("td", number(result?.score, value => value.toFixed(3))),
      element("td", number(result?.p_value, significant)),
      element("td", result ? `${result.model.name} ${result.model.version}` : model),
      element("td", renderingText(rendering)), element("td", new Date(time).toLocaleTimeString()));
    return row;
  }));
}

function renderingText({bits, window_center: center, window_width: width, photometric}) {
  const parts = [bits && `${bits} bits`, width && `window ${center} / ${width}`, photometric && "inverted"];
  return parts.filter(text => text).join(", ") || "as in the file";
}

/** The results as CSV, with the columns of the command-line client first. */
function csv() {
  const header = ["path", "index", "model", "version", "verdict", "score", "normality", "p_value", "anomalous",
    "input_p_value", "frame", "error", "time", "bits", "window_center", "window_width", "photometric", "request_id",
    "notice"];
  const rows = [...state.results].reverse().map(({filename, model, rendering, time, result, error}, index) => [
    filename, index, model, result?.model.version, result?.verdict, result?.score, result?.normality, result?.p_value,
    result?.anomalous, result?.input_check?.p_value, "", error, time, rendering.bits, rendering.window_center,
    rendering.window_width, rendering.photometric, result?.request_id, NOTICE]);
  return [header, ...rows].map(row => row.map(cell).join(",") + "\r\n").join("");
}

/** A cell of CSV. Spreadsheets would run text that begins like a formula. */
function cell(value) {
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !isFinite(value);
  const text = isFormula ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// ---------------------------------------------------------------- Start

function connectPage() {
  at("key-form").addEventListener("submit", useKey);
  at("change-key").addEventListener("click", () => { at("key-form").hidden = false; at("key").focus(); });
  at("trouble-retry").addEventListener("click", loadModels);
  at("choose").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => { add(at("file").files); at("file").value = ""; });
  at("examples").addEventListener("click", addExamples);
  at("model").addEventListener("change", () => { showModelCard(); state.items.forEach(show); });
  at("score-all").addEventListener("click", () => {
    for (const item of state.items.filter(other => other.model !== at("model").value)) {
      item.model = at("model").value;
      start(item);
    }
  });
  at("download-csv").addEventListener("click", () => download("dia-results.csv", "text/csv", csv()));
  at("download-json").addEventListener("click", () => {
    download("dia-results.json", "application/json", JSON.stringify([...state.results].reverse(), null, 2));
  });
  at("clear-history").addEventListener("click", () => { state.results = []; showHistory(); at("choose").focus(); });
}

function connectDropAndPaste() {
  const mark = isOver => at("drop").classList.toggle("over", isOver);
  addEventListener("dragover", event => { event.preventDefault(); mark(true); });
  addEventListener("dragleave", event => { if (!event.relatedTarget) mark(false); });
  addEventListener("drop", event => {
    event.preventDefault();
    mark(false);
    take(event.dataTransfer.files);
  });
  addEventListener("paste", event => {
    if (event.clipboardData.files.length > 0) take(event.clipboardData.files);
  });
}

function take(files) {
  if (files.length > 0) add(files);
  else announce("No file was dropped.");
}

connectPage();
connectDropAndPaste();
setInterval(tick, 1000);
loadModels();
